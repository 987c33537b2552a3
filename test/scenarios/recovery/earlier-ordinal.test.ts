import type { SeededInstance } from '@understudy/cloud-sim';
import { opIdOf, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { PausePoint } from './pause-point.ts';
import { KEYS, type Leader, RecoveryFixture } from './recovery-fixture.ts';

/**
 * The leader of a recovery is paused; its successor abandons that recovery and carries out the next
 * one of the same instance; then the first one wakes up.
 */

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly pause: PausePoint;
  readonly run: Promise<unknown>;
}

async function pausedAt(at: number): Promise<Prepared> {
  const scene = new RecoveryFixture({ policy: { recover: { verifyTimeoutMs: 3_600_000 } } });
  scene.policy.recover.placements.push({ subnetId: scene.sim.defaultResources.subnets['us-east-1a'] ?? '' });
  const old = scene.seedMember();
  await scene.begin(old);
  const pause = new PausePoint(at);
  const first = scene.lead(pause.wrapping());
  const run = first.engine.run(scene.intent(), pause.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([pause.reached, run.then(() => undefined)]));
  return { scene, old, pause, run };
}

/** `false`: its replacement was in charge already, so there is nothing to abandon. */
async function abandoned({ scene }: Prepared, successor: Leader): Promise<boolean> {
  scene.ask('abandon');
  expect(await scene.run(successor, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  return scene.history()[0]?.outcome === 'abandoned';
}

/** Instances that this recovery has launched after that moment. */
const launchedAfter = (scene: RecoveryFixture, atMs: number, op: string): readonly string[] =>
  scene.sim.log
    .launches()
    .filter((one) => one.atMs > atMs && one.tags[TAG.op] === op)
    .map((one) => one.instanceId);

async function wakesUpAt(at: number): Promise<'not reached' | 'replaced' | 'abandoned'> {
  const stage = await pausedAt(at);
  const { scene, old, pause, run } = stage;
  if (!pause.paused || scene.kv.entries(KEYS.intents).length === 0) return 'not reached';
  await scene.clock.advance(15_000);
  const successor = scene.lead();
  if (!(await abandoned(stage, successor))) return 'replaced';
  const closedAtMs = scene.clock.monotonicMs();
  expect(scene.activation()).toMatchObject({ instanceId: old.instanceId, ordinal: 1 });
  await scene.begin(old);
  expect(await scene.run(successor, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const [replacement = '', ...others] = scene.launchedFor(old.instanceId, 1);
  const history = scene.kv.entries(KEYS.history);
  await scene.clock.advance(3_600_000);
  pause.letGo();
  expect(await scene.clock.runUntilSettled(run), `paused at ${at}`).toBe('parked');
  await scene.clock.advance(600_000);
  expect(others).toEqual([]);
  expect(launchedAfter(scene, closedAtMs, opIdOf(old.instanceId)), 'launched after its close').toEqual([]);
  expect(launchedAfter(scene, closedAtMs, opIdOf(old.instanceId, 1))).toEqual([replacement]);
  const launched = [0, 1].flatMap((ordinal) => scene.launchedFor(old.instanceId, ordinal));
  // EC2 has forgotten what was terminated an hour ago.
  const alive = launched.filter((id) => !['terminated', null].includes(scene.stateOf(id)));
  expect(alive).toEqual([replacement]);
  expect(scene.stateOf(replacement)).toBe('running');
  expect(scene.activation()).toMatchObject({ instanceId: replacement, opId: opIdOf(old.instanceId, 1) });
  const address = scene.sim.core.region.addresses.get(old.allocationId ?? '');
  expect(scene.holderOf(address?.networkInterfaceId ?? '')).toBe(replacement);
  expect(scene.kv.entries(KEYS.history)).toEqual(history);
  for (const prefix of [KEYS.intents, KEYS.journal, KEYS.holds]) expect(scene.kv.entries(prefix)).toEqual([]);
  return 'abandoned';
}

describe('a leader of an earlier ordinal that wakes up', () => {
  test('at any call or commit, changes nothing and steps down', { timeout: 180_000 }, async () => {
    const outcomes: string[] = [];
    for (let at = 0; ; at += 1) {
      try {
        const outcome = await wakesUpAt(at);
        if (outcome === 'not reached') break;
        outcomes.push(outcome);
      } catch (cause) {
        throw new Error(`paused at ${at}`, { cause });
      }
    }
    const abandonedCount = outcomes.filter((one) => one === 'abandoned').length;
    console.log(`leaders of an earlier ordinal: ${abandonedCount} of ${outcomes.length} points abandoned`);
    expect(abandonedCount).toBeGreaterThan(15);
    expect(outcomes).toContain('replaced');
  });
});
