import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { PausePoint } from './pause-point.ts';
import { RecoveryFixture } from './recovery-fixture.ts';

async function pauseAt(at: number, noCapacity: boolean): Promise<{ names: readonly string[]; reached: boolean }> {
  const scene = new RecoveryFixture({ policy: { recover: { maxLaunchAttempts: 5 } } });
  const { subnets } = scene.sim.defaultResources;
  scene.policy.recover.placements.push(...['us-east-1a', 'us-east-1b'].map((az) => ({ subnetId: subnets[az] ?? '' })));
  const old = scene.seedMember();
  await scene.begin(old);
  const pause = new PausePoint(at);
  const first = scene.lead(pause.wrapping());
  const run = first.engine.run(scene.intent(), pause.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([pause.reached, run]));
  const reached = pause.paused;
  // The successor meets a zone without capacity, so it revokes what the paused one is about to use;
  // later there is room again.
  if (noCapacity) scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
  const second = scene.lead();
  const open = scene.kv.entries('/understudy/v1/intents/').length > 0;
  if (open) expect(await scene.run(second, scene.intent())).toBe('finished');
  scene.sim.setCapacity('us-east-1a', 't3.micro', null);
  await scene.clock.advance(3_600_000);
  const before = checkFinished(scene, old);
  pause.letGo();
  const outcome = await scene.clock.runUntilSettled(run);
  if (open) expect(outcome, pause.names[at]).toBe('parked');
  await scene.clock.advance(300_000);
  checkSafety(scene, old);
  expect(checkFinished(scene, old)).toBe(before);
  return { names: pause.names, reached };
}

describe.each([
  { name: 'the successor goes on where it was', noCapacity: false },
  { name: 'the successor finds no capacity there', noCapacity: true },
])('a leader paused for an hour, then let go: $name', ({ noCapacity }) => {
  test('does nothing harmful at any point and steps down', { timeout: 120_000 }, async () => {
    let cases = 0;
    for (let at = 0; ; at += 1) {
      let paused: { names: readonly string[]; reached: boolean };
      try {
        paused = await pauseAt(at, noCapacity);
      } catch (cause) {
        throw new Error(`paused at ${at}`, { cause });
      }
      if (!paused.reached) break;
      cases += 1;
    }
    console.log(`paused leaders: ${cases} points`);
    expect(cases).toBeGreaterThan(20);
  });
});
