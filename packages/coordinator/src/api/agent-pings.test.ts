import { type ManagedInstance, OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { AgentPings } from './agent-pings.ts';

function world(answer: (instanceId: string) => Promise<ManagedInstance | null>) {
  const clock = new SimClock();
  const asked: string[] = [];
  const commands = {
    managed: (instanceId: string) => {
      asked.push(instanceId);
      return answer(instanceId);
    },
  };
  const pings = new AgentPings({ commands, clock });
  return { clock, asked, of: (instanceId: string) => clock.runUntilSettled(pings.of(instanceId)) };
}

test('what it says is told with its age and its lag, weighs nothing, and is asked for once a minute', async () => {
  const seen: { clock?: SimClock } = {};
  const w = world(async (instanceId) => ({
    ...{ instanceId, ping: 'Online' },
    lastPingAtWallMs: (seen.clock?.wallMs() ?? 0) - 240_000,
  }));
  seen.clock = w.clock;
  const evidence = await w.of('i-1');
  expect(evidence).toMatchObject({ source: 'systems manager', weight: 'neutral', ageMs: 240_000, freshForMs: null });
  expect(evidence?.text).toMatch(/i-1 as Online, heard 4 min 0 s ago; no proof of anything/);
  await w.clock.advance(59_000);
  await w.of('i-1');
  expect(w.asked).toEqual(['i-1']);
  await w.clock.advance(2_000);
  await w.of('i-1');
  expect(w.asked).toEqual(['i-1', 'i-1']);
});

test('an agent that is not shown, and a service that refuses, are told as that', async () => {
  expect((await world(async () => null).of('i-1'))?.text).toContain('shows no agent of i-1');
  const denied = world(() => Promise.reject(new OperationError('CLOUD_DENIED', 'AccessDeniedException')));
  expect((await denied.of('i-1'))?.text).toContain('could not be asked');
});

test('nobody waits long for it, and many who look do not ask much', async () => {
  const silent = world(() => new Promise(() => undefined));
  const beganAtMs = silent.clock.monotonicMs();
  expect((await silent.of('i-1'))?.text).toBe('it has not answered yet');
  expect(silent.clock.monotonicMs() - beganAtMs).toBeLessThanOrEqual(2_100);
  const busy = world(async () => null);
  for (let at = 0; at < 100; at += 1) await busy.of(`i-${at}`);
  expect(busy.asked).toHaveLength(1);
});
