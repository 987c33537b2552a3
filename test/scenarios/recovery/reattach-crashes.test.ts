import type { SeededInstance } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { checkDisks, type ReattachStage, staged } from './reattach-scene.ts';
import type { RecoveryFixture, RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Story {
  readonly name: string;
  readonly options: RecoveryFixtureOptions;
  readonly trouble: (scene: RecoveryFixture, old: SeededInstance) => void;
  readonly launches: number;
  /** What comes before this point is another story's. Absent: all of it is this one's. */
  readonly from?: string;
  readonly casesMin: number;
  readonly steps: readonly string[];
}

/** The first replacement never speaks. */
const muteFirst = (scene: RecoveryFixture): void => {
  let first = true;
  scene.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance' || event.from !== null) return;
    if (first) scene.silent.add(event.resourceId);
    first = false;
  });
};

const STEPS = ['fence', 'permit-1', 'launch-1', 'seed-1', 'assemble-1', 'verify-1', 'activate', 'done'];

const STORIES: readonly Story[] = [
  {
    name: 'without trouble',
    options: { request: { UserData: Buffer.from('member: x').toString('base64') } },
    trouble: () => undefined,
    launches: 1,
    casesMin: 100,
    steps: STEPS,
  },
  {
    name: 'the first replacement does not verify, and gives the disks to the second',
    options: { dataVolumes: 1, policy: { recover: { strategy: 'reattach', verifyTimeoutMs: 60_000 } } },
    trouble: muteFirst,
    launches: 2,
    from: 'verify-1 failed',
    casesMin: 60,
    steps: [...STEPS, 'revoke-1', 'permit-2', 'assemble-2', 'verify-2'],
  },
];

function checkReplaced(stage: ReattachStage, launches: number): string {
  const newInstanceId = checkFinished(stage.scene, stage.old, { launches });
  checkDisks(stage, newInstanceId);
  return newInstanceId;
}

/** Every call and commit of the run that is not disturbed. */
async function pointsOf({ options, trouble, launches }: Story): Promise<readonly Point[]> {
  const stage = await staged(options, trouble);
  const { scene, old } = stage;
  const monitor = new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  expect(await scene.run(leader, scene.intent(), monitor.term(leader.term)), JSON.stringify(scene.hold())).toBe(
    'finished',
  );
  const points = [...monitor.points];
  await checkCollected(scene, old, leader, checkReplaced(stage, launches));
  return points;
}

/** The leader dies at the point; its successor finishes. */
async function crashAt(story: Story, at: number, mode: CrashMode, collect: boolean): Promise<Point | undefined> {
  const stage = await staged(story.options, story.trouble);
  const { scene, old } = stage;
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  const died = monitor.dead ? monitor.points[at] : undefined;
  await scene.clock.advance(12_000);
  checkSafety(scene, old);
  const second = scene.lead();
  if (scene.kv.entries('/understudy/v1/intents/').length > 0)
    expect(await scene.run(second, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkReplaced(stage, story.launches);
  if (collect) expect(await checkCollected(scene, old, second, newInstanceId)).toEqual([]);
  return died;
}

describe.each(STORIES)('a reattach that is killed anywhere: $name', (story) => {
  test('the successor finishes with one replacement, which has the disks', { timeout: 180_000 }, async () => {
    const points = await pointsOf(story);
    const first = story.from === undefined ? 0 : points.findIndex((point) => point.name === story.from);
    expect(first).toBeGreaterThanOrEqual(0);
    // What a look shows is the successor's to look at again: it is killed at calls and commits.
    const matrix = crashMatrix(points).filter(({ at }) => at >= first && points[at]?.kind !== 'read');
    const names = points.map((point) => point.name.split(' ')[0]);
    for (const step of story.steps) expect(names).toContain(step);
    await atEachCrash(points, matrix, async ({ at, mode }, index) => {
      const died = await crashAt(story, at, mode, index % 8 === 0 || points[at]?.kind === 'call');
      expect(died, 'the crash did not happen').toEqual(points[at]);
    });
    console.log(
      `crash points, reattach, ${story.name}: ${matrix.length} cases from ${points.length} calls and commits`,
    );
    expect(matrix.length).toBeGreaterThanOrEqual(story.casesMin);
  });
});
