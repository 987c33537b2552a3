import type { SeededInstance } from '@understudy/cloud-sim';
import { expect } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

/** One recovery that is to get through, wherever its leader is killed. */
export interface Story {
  readonly options: RecoveryFixtureOptions;
  /** Prepares the member before it fails. */
  readonly prepare?: (scene: RecoveryFixture, old: SeededInstance) => Promise<void>;
  /** Looks at the replacement. */
  readonly check: (scene: RecoveryFixture, old: SeededInstance, newInstanceId: string) => void;
  /** How many instances it launches; absent: one. */
  readonly launches?: number | 'any';
}

/** The member has failed, and the intent of its recovery is written. */
export async function stage({ options, prepare }: Story): Promise<{ scene: RecoveryFixture; old: SeededInstance }> {
  const scene = new RecoveryFixture(options);
  const old = scene.seedMember(undefined, options);
  await prepare?.(scene, old);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  return { scene, old };
}

const expected = ({ launches }: Story) => (launches === undefined ? {} : { launches });

/** Every call and commit of the run that is not disturbed. */
export async function undisturbed(story: Story): Promise<readonly Point[]> {
  const { scene, old } = await stage(story);
  const monitor = new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  const outcome = await scene.run(leader, scene.intent(), monitor.term(leader.term));
  expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
  const points = [...monitor.points];
  const newInstanceId = checkFinished(scene, old, expected(story));
  story.check(scene, old, newInstanceId);
  await checkCollected(scene, old, leader, newInstanceId);
  return points;
}

/** The leader dies at the point; its successor finishes. */
async function crashAt(story: Story, at: number, mode: CrashMode): Promise<boolean> {
  const { scene, old } = await stage(story);
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  await scene.clock.advance(12_000);
  checkSafety(scene, old);
  const second = scene.lead();
  if (scene.kv.entries('/understudy/v1/intents/').length > 0)
    expect(await scene.run(second, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  story.check(scene, old, checkFinished(scene, old, expected(story)));
  return monitor.dead;
}

/** Kills the leader at every point of these kinds, of those that are meant. Returns at how many. */
export async function killedAt(
  story: Story,
  kinds: readonly Point['kind'][],
  steps: readonly string[],
  isMeant: (point: Point) => boolean = () => true,
): Promise<number> {
  const points = await undisturbed(story);
  const names = points.map((point) => point.name.split(' ')[0]);
  for (const step of steps) expect(names).toContain(step);
  const matrix = crashMatrix(points).filter(({ at }) => {
    const point = points[at];
    return point !== undefined && kinds.includes(point.kind) && isMeant(point);
  });
  await atEachCrash(points, matrix, async ({ at, mode }) => {
    expect(await crashAt(story, at, mode), 'the crash did not happen').toBe(true);
  });
  return matrix.length;
}
