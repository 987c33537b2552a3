import type { PreparedKind } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkAllTagged, checkCollected, checkFinished } from './checks.ts';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { KEYS, MEMBER, type RecoveryFixtureOptions } from './recovery-fixture.ts';
import { checkDisks, REATTACH } from './reattach-scene.ts';
import {
  checkUntouched,
  die,
  leftOf,
  preparationOf,
  type PreparedStage,
  prepareIt,
  preparing,
  refute,
} from './prepared-scene.ts';

interface Story {
  readonly name: string;
  readonly options: RecoveryFixtureOptions;
  readonly makes: readonly PreparedKind[];
  readonly steps: readonly string[];
  readonly casesMin: number;
}

const STORIES: readonly Story[] = [
  { name: 'a seed', options: REATTACH, makes: ['seed'], steps: ['permit-1', 'launch-1', 'seed-1'], casesMin: 30 },
  { name: 'snapshots', options: {}, makes: ['snapshot'], steps: ['warmup'], casesMin: 9 },
  { name: 'a place', options: {}, makes: ['capacity'], steps: ['reserve'], casesMin: 6 },
];

/** After this no call of it can land any more, and it is looked at once more. */
const LATE_MS = 900_000;

/** It is heard again: whoever leads drops it, and looks once more when nothing can land. */
async function refuted(stage: PreparedStage): Promise<void> {
  const { scene } = stage;
  const leader = scene.lead();
  refute(stage);
  for (const afterMs of [0, LATE_MS]) {
    await scene.clock.advance(afterMs);
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
  }
  expect(leftOf(stage), 'left over').toEqual([]);
  checkUntouched(stage);
}

/** It is dead: whoever leads takes over what is there. */
async function taken(stage: PreparedStage, collect: boolean): Promise<void> {
  const { scene, old } = stage;
  const leader = scene.lead();
  await die(stage);
  expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old);
  expect(stage.watch.faults).toEqual([]);
  if (stage.scene.policy.recover.strategy === 'reattach') checkDisks(stage, newInstanceId);
  if (collect) await checkCollected(scene, old, leader, newInstanceId);
}

/** The leader dies at the point of its preparing. */
async function killedAt(story: Story, at: number, mode: CrashMode): Promise<{ stage: PreparedStage; died: boolean }> {
  const stage = await preparing(story.options, story.makes);
  const monitor = new CrashMonitor(at, mode);
  const leader = stage.scene.lead(monitor.wrapping());
  const work = prepareIt(stage, leader, monitor.term(leader.term));
  await stage.scene.clock.runUntilSettled(Promise.race([monitor.died, work.then(() => undefined)]));
  return { stage, died: monitor.dead };
}

async function pointsOf({ options, makes }: Story): Promise<readonly Point[]> {
  const stage = await preparing(options, makes);
  const monitor = new CrashMonitor();
  const leader = stage.scene.lead(monitor.wrapping());
  expect(await prepareIt(stage, leader, monitor.term(leader.term))).toEqual({ kind: 'made' });
  return [...monitor.points];
}

describe.each(STORIES)('a preparation that is killed anywhere: $name', (story) => {
  test.each(['refuted', 'dead'] as const)('its member is %s', { timeout: 120_000 }, async (end) => {
    const points = await pointsOf(story);
    const names = points.map((point) => point.name.split(' ')[0]);
    for (const step of story.steps) expect(names).toContain(step);
    const matrix = crashMatrix(points).filter(({ at }) => end === 'refuted' || points[at]?.kind !== 'read');
    await atEachCrash(points, matrix, async ({ at, mode }, index) => {
      const { stage, died } = await killedAt(story, at, mode);
      expect(died, 'the crash did not happen').toBe(true);
      // Half of the successors lead before the dead leader's calls have landed.
      await stage.scene.clock.advance(index % 2 === 0 ? 0 : 12_000);
      if (end === 'refuted') await refuted(stage);
      else await taken(stage, index % 4 === 0);
      checkAllTagged(stage.scene);
    });
    console.log(`crash points, prepared ${story.name}, ${end}: ${matrix.length} cases`);
    expect(matrix.length).toBeGreaterThanOrEqual(story.casesMin);
  });
});

describe.each(STORIES)('dropping that is killed anywhere: $name', (story) => {
  test('the next leader drops the rest', { timeout: 120_000 }, async () => {
    const dropped = async (monitor: CrashMonitor) => {
      const stage = await preparing(story.options, story.makes);
      expect(await prepareIt(stage, stage.scene.lead())).toEqual({ kind: 'made' });
      refute(stage);
      const leader = stage.scene.lead(monitor.wrapping());
      const work = prepareIt(stage, leader, monitor.term(leader.term));
      await stage.scene.clock.runUntilSettled(Promise.race([monitor.died, work.then(() => undefined)]));
      return stage;
    };
    const undisturbed = new CrashMonitor();
    await dropped(undisturbed);
    // What nothing is written after cannot be killed at the next write.
    const hasCommit = (at: number) => undisturbed.points.slice(at + 1).some((one) => one.kind === 'commit');
    const matrix = crashMatrix(undisturbed.points).filter(({ at, mode }) => mode !== 'recorded' || hasCommit(at));
    await atEachCrash(undisturbed.points, matrix, async ({ at, mode }) => {
      const monitor = new CrashMonitor(at, mode);
      const stage = await dropped(monitor);
      expect(monitor.dead, 'the crash did not happen').toBe(true);
      const second = stage.scene.lead();
      expect(await prepareIt(stage, second)).toEqual({ kind: 'removed' });
      await stage.scene.clock.advance(LATE_MS);
      expect(await prepareIt(stage, second)).toEqual({ kind: 'removed' });
      expect(leftOf(stage), 'left over').toEqual([]);
      checkUntouched(stage);
    });
    console.log(`crash points, dropping ${story.name}: ${matrix.length} cases`);
    expect(matrix.length).toBeGreaterThan(5);
  });
});

test('a leader that is paused in the middle of its launch, while the member is heard again and fails later', async () => {
  const stage = await preparing(REATTACH, ['seed']);
  const { scene, old } = stage;
  // Its RunInstances leaves only after everything else is over.
  const held = Promise.withResolvers<void>();
  let waits = false;
  const paused = scene.lead({
    cloud: (cloud) =>
      new Proxy(cloud, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          return async (...args: unknown[]) => {
            if (name === 'runInstances') {
              waits = true;
              await held.promise;
            }
            return Reflect.apply(method, target, name === 'runInstances' ? args.slice(0, 1) : args) as unknown;
          };
        },
      }),
  });
  const preparation = preparationOf(stage);
  if (!preparation) throw new Error('no preparation');
  const work = paused.engine.prepare(preparation, paused.term);
  while (!waits) await scene.clock.advance(100);
  const next = scene.lead();
  refute(stage);
  expect(await prepareIt(stage, next)).toEqual({ kind: 'removed' });
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  expect(scene.intent().record.ordinal).toBe(1);
  expect(await scene.run(next, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  held.resolve();
  paused.endTerm();
  await scene.clock.runUntilSettled(work);
  await scene.clock.advance(60_000);
  expect(leftOf(stage), 'its permit is gone: nothing is launched').toEqual([]);
  expect(scene.launchedFor(old.instanceId)).toEqual([]);
  expect(scene.launchedFor(old.instanceId, 1)).toHaveLength(1);
  expect(scene.kv.entries(KEYS.intent(MEMBER))).toEqual([]);
});
