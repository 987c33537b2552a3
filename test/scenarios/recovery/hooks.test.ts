import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { CrashMonitor } from './crash-points.ts';
import { RecoveryFixture } from './recovery-fixture.ts';
import { hooksOf } from './hooks-scene.ts';
import { stage } from './stories.ts';

type Ran = ReturnType<typeof hooksOf>['ran'][number];

const names = (ran: readonly Ran[]) => ran.map((one) => one.program);
const stepsOf = (scene: RecoveryFixture) => scene.history()[0]?.steps.map((one) => one.step) ?? [];

describe('the hooks of a recovery', () => {
  test('run in their place, with what they need to know, and stand in its history', async () => {
    const { ran, story } = hooksOf();
    const { scene, old } = await stage(story);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    expect(names(ran)).toEqual(['drain', 'fenced', 'check', 'tell']);
    const steps = stepsOf(scene);
    const before = (one: string, other: string) => expect(steps.indexOf(one), one).toBeLessThan(steps.indexOf(other));
    before('hook-drain', 'fence');
    before('fence', 'hook-fenced');
    before('hook-check', 'activate');
    before('activate', 'hook-tell');
    const { opId } = scene.history()[0] ?? { opId: '' };
    expect(ran[2]).toMatchObject({
      id: `${opId}.check.1`,
      body: {
        ...{ type: 'recovery.before-activate', hook: 'check', at: 'before-activate', member: 'db/primary' },
        ...{ oldInstanceId: old.instanceId, newInstanceId, recovery: opId, attempt: 1 },
      },
    });
    expect(ran[0]?.body.newInstanceId).toBeNull();
  });
});

describe.each([
  ['drain', 'before-fence'],
  ['check', 'before-activate'],
] as const)('the hook %s (%s) that says no', (name, at) => {
  const refusing = async () => {
    const hooks = hooksOf();
    hooks.answers.set(name, { kind: 'refused', text: 'it ended with 3: not now' });
    const { scene, old } = await stage(hooks.story);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    return { ...hooks, scene, old };
  };

  test('holds the recovery, with its words and the ways out', async () => {
    const { scene, old } = await refusing();
    const { text = '', reason } = scene.hold() ?? {};
    expect(reason).toBe('HookRefused');
    expect(text).toContain('it ended with 3: not now');
    expect(text).toContain(`understudy accept-loss db/primary hook:${name} --reason TEXT`);
    expect(scene.activation()?.instanceId).toBe(old.instanceId);
    if (at === 'before-fence') expect(scene.stateOf(old.instanceId)).toBe('running');
    checkSafety(scene, old);
  });

  test('is asked again by the next run, under another id, and lets it go on once it says yes', async () => {
    const { ran, answers, scene, old } = await refusing();
    answers.delete(name);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    checkFinished(scene, old);
    const ids = ran.filter((one) => one.program === name).map((one) => one.id.split('.').at(-1));
    expect(ids).toEqual(['1', '2']);
  });

  test('is left out at an operator’s word, and the history says so', async () => {
    const { ran, scene, old } = await refusing();
    const before = ran.length;
    scene.ask('accept-loss', { loss: `hook:${name}` });
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    checkFinished(scene, old);
    expect(names(ran.slice(before))).not.toContain(name);
    expect(scene.history()[0]?.losses).toContainEqual({ code: 'AcceptedLoss', text: `given up: hook:${name}` });
  });

  test('or cannot be run at all: the same, and the leader lives on', async () => {
    const hooks = hooksOf();
    hooks.answers.set(name, new Error('spawn E2BIG'));
    const { scene, old } = await stage(hooks.story);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(names(hooks.ran)).toContain(name);
    const text = expect.stringContaining('it could not be run: spawn E2BIG');
    expect(scene.hold()).toMatchObject({ reason: 'HookRefused', text });
    hooks.answers.delete(name);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    checkFinished(scene, old);
  });

  test('or does not end: the same', async () => {
    const hooks = hooksOf();
    hooks.answers.set(name, 'never');
    const { scene } = await stage(hooks.story);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'HookRefused', text: expect.stringContaining('not known') });
  });
});

describe('a hook after something', () => {
  test.each(['fenced', 'tell'])('%s never holds, whatever it says', async (name) => {
    const { answers, story } = hooksOf();
    answers.set(name, { kind: 'refused', text: 'it ended with 1' });
    const { scene, old } = await stage(story);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    checkFinished(scene, old);
    expect(scene.log.linesOf('recovery.hook.ended').map((one) => one.fields)).toContainEqual(
      expect.objectContaining({ hook: name, outcome: 'refused' }),
    );
  });
});

test('a plan with hooks is not made while builds that do not know them may lead', async () => {
  const { story } = hooksOf();
  await expect(stage({ ...story, options: { ...story.options, level: 1 } })).rejects.toThrow('LevelNotInForce');
});

test('a leader that was paused does not begin a hook when its term is over', async () => {
  const { ran, story } = hooksOf();
  const { scene, old } = await stage(story);
  const monitor = new CrashMonitor();
  const first = scene.lead(monitor.wrapping());
  first.endTerm();
  expect(await scene.run(first, scene.intent())).toBe('parked');
  expect(ran).toEqual([]);
  expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
  checkFinished(scene, old);
});
