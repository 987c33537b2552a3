import type { HookOutcome } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { CrashMonitor, crashMatrix } from './crash-points.ts';
import { failureHooksOf, hooksOf } from './hooks-scene.ts';
import { checkKept, closedBy, hungMember } from './in-place-scene.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';
import { AS_RUNG, staged } from './reattach-scene.ts';
import { stage } from './stories.ts';

type Hooks = ReturnType<typeof hooksOf>;

const alarms = ({ ran }: Hooks) => ran.filter((one) => one.program === 'alarm');
const owed = (scene: RecoveryFixture) => scene.history()[0]?.failureHooks;

/** A recovery in place that has ended and brought nothing back. */
async function notMended(hooks: Hooks, strategy: 'reboot' | 'stop-start' = 'stop-start') {
  const { scene, old } = await hungMember(strategy, hooks.story.options);
  await hooks.story.prepare?.(scene, old);
  scene.silent.add(old.instanceId);
  const leader = scene.lead();
  await closedBy(scene, leader);
  return { scene, old, leader };
}

describe.each(['reboot', 'stop-start'] as const)('a recovery by %s that mends nothing', (strategy) => {
  test('is closed without waiting for its failure hooks, which run after it, told how it ended', async () => {
    const hooks = hooksOf();
    hooks.answers.set('alarm', 'never');
    const { scene, old, leader } = await notMended(hooks, strategy);
    checkKept(scene, old, 'not-mended');
    expect(alarms(hooks)).toEqual([]);
    expect(owed(scene)).toEqual([{ name: 'alarm', program: 'alarm', timeoutMs: 30_000 }]);
    hooks.answers.delete('alarm');
    const { passes } = failureHooksOf(scene, leader);
    await passes(4);
    const { opId } = scene.history()[0] ?? { opId: '' };
    expect(alarms(hooks)).toMatchObject([
      { id: `${opId}.alarm.1`, body: { at: 'on-failure', outcome: 'not-mended', strategy, recovery: opId } },
    ]);
    expect(owed(scene)).toMatchObject([{ ended: { passed: true, text: 'ok' } }]);
  });
});

test('a recovery that mends the member has none', async () => {
  const hooks = hooksOf();
  const { scene, old } = await hungMember('reboot', hooks.story.options);
  await hooks.story.prepare?.(scene, old);
  await closedBy(scene, scene.lead());
  checkKept(scene, old, 'mended');
  expect([alarms(hooks), owed(scene)]).toEqual([[], undefined]);
});

describe('a recovery that is abandoned', () => {
  test('has its failure hooks run afterwards, also where one fails, and no others', async () => {
    const hooks = hooksOf();
    hooks.answers.set('drain', { kind: 'refused', text: 'no' });
    hooks.answers.set('alarm', { kind: 'refused', text: 'HTTP 500' });
    const { scene } = await stage(hooks.story);
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('held');
    scene.ask('abandon');
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    await failureHooksOf(scene, leader).passes(4);
    expect(hooks.ran.map((one) => one.program)).toEqual(['drain', 'alarm']);
    expect(scene.history()[0]).toMatchObject({
      outcome: 'abandoned',
      failureHooks: [{ name: 'alarm', ended: { passed: false, text: 'HTTP 500' } }],
    });
    expect(scene.log.linesOf('recovery.hook.ended').at(-1)?.fields).toMatchObject({ hook: 'alarm', at: 'on-failure' });
  });
});

describe('a reattach that is given up', () => {
  const givenUp = async (answer: HookOutcome | 'never') => {
    const hooks = hooksOf();
    hooks.answers.set('alarm', answer);
    const options = { ...hooks.story.options, ...AS_RUNG };
    const policy = { ...hooks.story.options.policy, ...AS_RUNG.policy };
    const { scene } = await staged({ ...options, policy }, (one, old) => {
      void hooks.story.prepare?.(one, old);
      one.silent.add('*');
    });
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    return { hooks, scene, leader };
  };

  test('runs them beside the giving back: what has run stands in the history, and is not run again', async () => {
    const { hooks, scene, leader } = await givenUp({ kind: 'passed', text: 'told' });
    expect(scene.history()[0]?.outcome).toBe('not-mended');
    expect(alarms(hooks)).toHaveLength(1);
    expect(owed(scene)).toMatchObject([{ ended: { passed: true, text: 'told' } }]);
    await failureHooksOf(scene, leader).passes(4);
    expect(alarms(hooks)).toHaveLength(1);
  });

  test('does not wait for one that hangs: it is begun again from the history, under the same id', async () => {
    const { hooks, scene, leader } = await givenUp('never');
    expect(scene.history()[0]?.outcome).toBe('not-mended');
    expect(owed(scene)?.[0]?.ended).toBeUndefined();
    await failureHooksOf(scene, leader).passes(70);
    expect(alarms(hooks)).toHaveLength(2);
    expect(new Set(alarms(hooks).map((one) => one.id)).size).toBe(1);
    expect(owed(scene)).toMatchObject([{ ended: { passed: false, text: 'how it ended is not known' } }]);
  });
});

describe('whoever leads next', () => {
  test('runs what is owed, under the same id, wherever the one before was killed', { timeout: 60_000 }, async () => {
    const undisturbed = new CrashMonitor();
    await owedAfter(undisturbed);
    const points = [...undisturbed.points];
    const matrix = crashMatrix(points).filter(({ at }) => (points[at]?.kind ?? 'read') !== 'read');
    expect(matrix.length).toBeGreaterThanOrEqual(3);
    for (const { at, mode } of matrix) {
      const monitor = new CrashMonitor(at, mode);
      const { hooks, scene } = await owedAfter(monitor);
      expect(monitor.dead, `the crash at ${at} did not happen`).toBe(true);
      await failureHooksOf(scene, scene.lead()).passes(5);
      expect(alarms(hooks).length, `${at} ${mode}`).toBeGreaterThanOrEqual(1);
      expect(new Set(alarms(hooks).map((one) => one.id)).size).toBe(1);
      expect(owed(scene)).toMatchObject([{ ended: { passed: true } }]);
    }
  });

  /** A leader that dies at a point of running what is owed. */
  async function owedAfter(monitor: CrashMonitor) {
    const hooks = hooksOf();
    const { scene, old } = await notMended(hooks);
    checkKept(scene, old, 'not-mended');
    const { term } = scene.lead();
    const own = { term: monitor.term(term) };
    await failureHooksOf(scene, own, monitor).passes(5);
    return { hooks, scene };
  }

  test('runs what is owed; one whose term is over begins nothing and writes nothing', async () => {
    const hooks = hooksOf();
    const { scene, leader } = await notMended(hooks);
    leader.endTerm();
    await failureHooksOf(scene, leader).passes(2);
    expect([alarms(hooks), owed(scene)?.[0]?.ended]).toEqual([[], undefined]);
    await failureHooksOf(scene, scene.lead()).passes(4);
    expect(owed(scene)?.[0]?.ended?.passed).toBe(true);
  });
});
