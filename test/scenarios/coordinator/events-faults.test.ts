import type { FaultKind } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
/** What may befall a call: answered with an error, lost on the way out or back, late, foreign. */
const ILLS: readonly (readonly [kind: FaultKind, code?: string])[] = [
  ['throttle'],
  ['error', 'InternalFailure'],
  ['error', 'ExpiredToken'],
  ['error', 'InvalidSignatureException'],
  ['error', 'QueueDoesNotExist'],
  ['timeout-before'],
  ['timeout-after-success'],
  ['late-landing'],
  ['foreign-answer'],
  ['foreign-instead'],
];
const CASES = ['ReceiveMessage', 'DeleteMessage'].flatMap((action) =>
  ILLS.map(([kind, code]) => [action, kind, code ?? ''] as const),
);
/** Often enough to be there before, while and after the member fails. */
const TIMES = 8;

async function struck(action: string, kind: FaultKind, code: string) {
  const world = new ScenarioCluster({ events: { pollStatesEveryMs: 600_000 } });
  const { instanceId } = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  world.seed('prod/db3', { az: 'us-east-1c' });
  await world.up();
  const what = code === '' ? {} : { code };
  world.sim.addFault({ id: 'ill', action: `sqs:${action}`, kind, times: TIMES, delayMs: 45_000, ...what });
  return { world, instanceId };
}

describe('each call to the queue × each ill that can befall it', () => {
  test.each(CASES)('%s × %s %s: one recovery, one launch, and the queue is read again', async (action, kind, code) => {
    const { world, instanceId } = await struck(action, kind, code);
    world.sim.takeDown(instanceId, 'Server.InternalError', 'stop');
    await world.until('replaced', () => world.history(DB1).length === 1, 1_200_000);
    await world.until('all ills are over', () => world.sim.fired('ill') === TIMES, 1_200_000);
    await world.until('the queue is empty', () => world.eventQueue?.bodies().length === 0, 1_200_000);
    expect(world.launches).toBe(1);
    expect(
      world
        .mustLead()
        .coordinator.api.status()
        .problems.map((one) => one.code),
    ).not.toContain('EVENTS_UNREACHABLE');
    world.expectHealthy();
  });
});
