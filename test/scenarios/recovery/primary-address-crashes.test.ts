import type { SeededInstance } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { PausePoint } from './pause-point.ts';
import { checkFollowed, muteFirst, type PrimaryStage, REATTACHED, staged } from './primary-scene.ts';
import type { RecoveryFixture, RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Story {
  readonly name: string;
  readonly options: RecoveryFixtureOptions;
  readonly trouble: (scene: RecoveryFixture, old: SeededInstance) => void;
  readonly launches: number;
  readonly casesMin: number;
  /** Steps at whose calls and commits the leader is killed: those that are not another test's. */
  readonly own: RegExp;
}

const OWN = /^(?:vacate|permit|launch|primary|revoke|terminate|create|delete|setDelete|setNetwork|runInstances)/;

const STORIES: readonly Story[] = [
  {
    ...{ name: 'from snapshots', options: { dataVolumes: 1 }, trouble: () => undefined },
    ...{ launches: 1, casesMin: 40, own: OWN },
  },
  {
    ...{ name: 'with its disks', options: { ...REATTACHED, dataVolumes: 1 }, trouble: () => undefined },
    ...{ launches: 1, casesMin: 30, own: OWN },
  },
  {
    name: 'from snapshots, and the first replacement never speaks',
    options: { dataVolumes: 0, policy: { recover: { verifyTimeoutMs: 60_000 } } },
    trouble: muteFirst,
    ...{ launches: 2, casesMin: 30, own: /^(?:revoke|permit-2|launch-2|primary|terminate|delete)/ },
  },
];

function checkReplaced(stage: PrimaryStage, launches: number): string {
  const newInstanceId = checkFinished(stage.scene, stage.old, { launches });
  checkFollowed(stage, newInstanceId);
  return newInstanceId;
}

/** Every call and commit of the run that is not disturbed. */
async function pointsOf({ options, trouble, launches }: Story): Promise<readonly Point[]> {
  const stage = await staged(options, trouble);
  const { scene, old } = stage;
  const monitor = new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  const outcome = await scene.run(leader, scene.intent(), monitor.term(leader.term));
  expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
  const points = [...monitor.points];
  await checkCollected(scene, old, leader, checkReplaced(stage, launches));
  return points;
}

/** The leader dies at the point; its successor finishes. */
async function crashAt(story: Story, at: number, mode: CrashMode): Promise<Point | undefined> {
  const stage = await staged(story.options, story.trouble);
  const { scene, old } = stage;
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  const died = monitor.dead ? monitor.points[at] : undefined;
  await scene.clock.advance(12_000);
  checkSafety(scene, old);
  expect(stage.faults).toEqual([]);
  const second = scene.lead();
  if (scene.kv.entries('/understudy/v1/intents/').length > 0)
    expect(await scene.run(second, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  checkReplaced(stage, story.launches);
  return died;
}

describe.each(STORIES)('an address that follows, killed anywhere: $name', (story) => {
  test('the successor finishes with one replacement, which has the address', { timeout: 180_000 }, async () => {
    const points = await pointsOf(story);
    const matrix = crashMatrix(points).filter(({ at }) => {
      const point = points[at];
      return point !== undefined && point.kind !== 'read' && story.own.test(point.name);
    });
    await atEachCrash(points, matrix, async ({ at, mode }) => {
      expect(await crashAt(story, at, mode), 'the crash did not happen').toEqual(points[at]);
    });
    console.log(`crash points, primary address, ${story.name}: ${matrix.length} cases`);
    expect(matrix.length).toBeGreaterThanOrEqual(story.casesMin);
  });
});

/** A leader is paused for an hour in front of its nth call or commit, and then goes on. */
async function pausedAt(options: RecoveryFixtureOptions, at: number): Promise<boolean> {
  const stage = await staged(options);
  const { scene, old } = stage;
  const pause = new PausePoint(at);
  const first = scene.lead(pause.wrapping());
  const run = first.engine.run(scene.intent(), pause.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([pause.reached, run]));
  if (!pause.paused) return false;
  if (scene.kv.entries('/understudy/v1/intents/').length > 0)
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  await scene.clock.advance(3_600_000);
  const before = checkReplaced(stage, 1);
  pause.letGo();
  await scene.clock.runUntilSettled(run);
  await scene.clock.advance(300_000);
  checkSafety(scene, old);
  expect(checkReplaced(stage, 1)).toBe(before);
  expect(scene.stateOf(before)).toBe('running');
  return true;
}

describe.each([
  { name: 'from snapshots', options: { dataVolumes: 1 } },
  { name: 'with its disks', options: { ...REATTACHED, dataVolumes: 1 } },
])('a leader that is paused for an hour, and then goes on: $name', ({ options }) => {
  test('does nothing harmful at any point', { timeout: 120_000 }, async () => {
    let at = 0;
    while (await pausedAt(options, at)) at += 1;
    expect(at).toBeGreaterThan(20);
  });
});
