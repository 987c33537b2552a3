import { expect, test } from 'vitest';
import { atEachCrash, CrashMonitor, crashMatrix, type Point } from './crash-points.ts';
import { instanceHooksOf } from './instance-hooks-scene.ts';
import { killedAt, stage } from './stories.ts';

/** The predecessor is dead, so the first of them comes to nothing, and is passed over. */
const HOOKS = [
  { name: 'flush', at: 'before-fence', on: 'predecessor', whenUnreached: 'pass' },
  { name: 'drain', at: 'before-fence', on: 'witness' },
  { name: 'warm', at: 'after-activate', on: 'successor' },
] as const;

test('wherever a leader is killed, each instance is given its script once, and the recovery ends (S35)', {
  timeout: 120_000,
}, async () => {
  const hooks = instanceHooksOf(HOOKS);
  // Also where the one before has sent it and had no answer: the next one finds it.
  const check = () => expect([...hooks.ran()].sort()).toEqual(['drain.1', 'warm.1']);
  const steps = ['send', 'find', 'invocation', 'cancel', 'managed', 'hook-flush', 'hook-warm'];
  // What is killed beside a hook is in `hooks-crashes.test.ts` and in the tests of the strategies.
  const isOfHook = ({ name }: Point): boolean => steps.some((step) => name.startsWith(step));
  const cases = await killedAt({ ...hooks, check }, ['call', 'read', 'commit'], steps, isOfHook);
  expect(cases).toBeGreaterThanOrEqual(40);
});

test('where the dead machine is to be waited for, it is held and not fenced, whoever leads', {
  timeout: 60_000,
}, async () => {
  const hooks = instanceHooksOf([{ name: 'flush', at: 'before-fence', on: 'predecessor' }]);
  const held = async (monitor: CrashMonitor) => {
    const { scene, old } = await stage({ ...hooks, check: () => undefined });
    const leader = scene.lead(monitor.wrapping());
    const run = leader.engine.run(scene.intent(), monitor.term(leader.term));
    await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
    await scene.clock.advance(12_000);
    if (monitor.dead) expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'HookRefused', text: expect.stringContaining('minutes late') });
    expect(scene.stateOf(old.instanceId)).toBe('running');
    expect(hooks.ran()).toEqual([]);
  };
  const whole = new CrashMonitor();
  await held(whole);
  const matrix = crashMatrix(whole.points);
  expect(matrix.length).toBeGreaterThanOrEqual(20);
  await atEachCrash(whole.points, matrix, async ({ at, mode }) => {
    const monitor = new CrashMonitor(at, mode);
    await held(monitor);
    expect(monitor.dead, 'the crash did not happen').toBe(true);
  });
});

test('a try that was begun a week ago is sent no more, whoever leads: another one is, under another id', async () => {
  const hooks = instanceHooksOf([{ name: 'drain', at: 'before-fence', on: 'witness' }]);
  const whole = await stage({ ...hooks, check: () => undefined });
  const points = new CrashMonitor();
  const undisturbed = whole.scene.lead(points.wrapping());
  await whole.scene.run(undisturbed, whole.scene.intent(), points.term(undisturbed.term));
  const { scene } = await stage({ ...hooks, check: () => undefined });
  const at = points.points.findIndex(({ name }) => name === 'send');
  const monitor = new CrashMonitor(at, 'not-recorded');
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  expect(monitor.dead).toBe(true);
  await scene.clock.advance(8 * 86_400_000);
  expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
  expect(scene.hold()).toMatchObject({ reason: 'HookRefused', text: expect.stringContaining('it is sent no more') });
  expect(hooks.ran()).toEqual(['drain.1']);
  expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
  expect(hooks.ran()).toEqual(['drain.1', 'drain.2']);
});
