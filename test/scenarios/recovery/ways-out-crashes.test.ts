import type { SeededInstance } from '@understudy/cloud-sim';
import { opIdOf, type OperatorRequestRecord, type RequestKind } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { PausePoint } from './pause-point.ts';
import { KEYS, RecoveryFixture } from './recovery-fixture.ts';

interface Command {
  readonly name: string;
  readonly kind: RequestKind;
  readonly over?: (old: SeededInstance) => Partial<OperatorRequestRecord>;
  /**
   * With the old plan a replacement runs that never speaks; else EC2 refuses the only placement.
   */
  readonly launched: boolean;
  readonly outcome: 'replaced' | 'abandoned';
  readonly pointsMin: number;
}

const COMMANDS: readonly Command[] = [
  { name: 'retry', kind: 'retry', launched: false, outcome: 'replaced', pointsMin: 20 },
  { name: 'replan, nothing launched', kind: 'replan', launched: false, outcome: 'replaced', pointsMin: 20 },
  { name: 'replan, a mute replacement runs', kind: 'replan', launched: true, outcome: 'replaced', pointsMin: 25 },
  { name: 'abandon, nothing launched', kind: 'abandon', launched: false, outcome: 'abandoned', pointsMin: 1 },
  { name: 'abandon, a mute replacement runs', kind: 'abandon', launched: true, outcome: 'abandoned', pointsMin: 5 },
  {
    name: 'accept-loss of the address',
    kind: 'accept-loss',
    over: (old) => ({ loss: `address:${old.allocationId}` }),
    launched: false,
    outcome: 'replaced',
    pointsMin: 20,
  },
];

/** A recovery that is stuck, and the command that was just asked for. */
async function stage({ kind, over, launched }: Command): Promise<{ scene: RecoveryFixture; old: SeededInstance }> {
  const scene = new RecoveryFixture({ policy: { recover: { verifyTimeoutMs: 3_600_000 } } });
  const zone = (az: string) => ({ subnetId: scene.sim.defaultResources.subnets[az] ?? '' });
  scene.policy.recover.placements.push(zone('us-east-1a'));
  const old = scene.seedMember();
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  const before = scene.lead();
  if (launched) {
    scene.silent.add('*');
    const running = before.engine.run(scene.intent(), before.term);
    await scene.clock.advance(240_000);
    expect(scene.launchedFor(old.instanceId)).toHaveLength(1);
    before.endTerm();
    await scene.clock.runUntilSettled(running);
    for (const id of scene.launchedFor(old.instanceId)) scene.silent.add(id);
    scene.silent.delete('*');
  } else {
    const refused = { action: 'RunInstances', kind: 'error', code: 'Unsupported', httpStatus: 400 } as const;
    scene.sim.addFault({ id: 'refused', ...refused });
    expect(await scene.run(before, scene.intent())).toBe('held');
  }
  scene.policy.recover.placements.splice(0, 1, zone('us-east-1b'));
  scene.ask(kind, over?.(old) ?? {});
  if (kind === 'accept-loss')
    scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.hold('db/primary') }] });
  return { scene, old };
}

/** What the command was for has come true, once. */
function checkOutcome(scene: RecoveryFixture, old: SeededInstance, { outcome, launched, kind }: Command): void {
  checkSafety(scene, old);
  const [record, second] = scene.history();
  expect([record?.outcome, second, scene.kv.entries(KEYS.requests).length]).toEqual([outcome, undefined, 0]);
  expect(record?.acts?.map((one) => one.kind)).toEqual([kind]);
  const alive = scene.launchedFor(old.instanceId).filter((id) => scene.stateOf(id) === 'running');
  if (outcome === 'abandoned') {
    expect(alive).toEqual([]);
    expect(scene.activation()).toMatchObject({ instanceId: old.instanceId, incarnation: 1, ordinal: 1 });
    expect(scene.kv.entries(KEYS.intents)).toEqual([]);
    return;
  }
  if (kind !== 'accept-loss') checkFinished(scene, old, { launches: launched ? 2 : 1 });
  expect(scene.activation()).toMatchObject({ instanceId: alive[0], incarnation: 2, opId: opIdOf(old.instanceId) });
}

async function finish(scene: RecoveryFixture): Promise<void> {
  if (scene.kv.entries(KEYS.intents).length === 0) return;
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
}

async function pointsOf(command: Command): Promise<readonly Point[]> {
  const { scene, old } = await stage(command);
  const monitor = new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  expect(await scene.run(leader, scene.intent(), monitor.term(leader.term)), JSON.stringify(scene.hold())).toBe(
    'finished',
  );
  checkOutcome(scene, old, command);
  return monitor.points;
}

async function crashAt(command: Command, at: number, mode: CrashMode): Promise<Point | undefined> {
  const { scene, old } = await stage(command);
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  const died = monitor.dead ? monitor.points[at] : undefined;
  await scene.clock.advance(12_000);
  checkSafety(scene, old);
  await finish(scene);
  checkOutcome(scene, old, command);
  return died;
}

describe.each(COMMANDS)('$name', (command) => {
  test('killed at every call and commit of it: the successor carries it out, once', { timeout: 120_000 }, async () => {
    const points = await pointsOf(command);
    const matrix = crashMatrix(points);
    await atEachCrash(points, matrix, async ({ at, mode }) => {
      expect(await crashAt(command, at, mode), 'the crash did not happen').toEqual(points[at]);
    });
    console.log(`crash points, ${command.name}: ${matrix.length} cases from ${points.length} calls and commits`);
    expect(points.length).toBeGreaterThanOrEqual(command.pointsMin);
  });

  test('paused for an hour at every call and commit, then let go: fails on its guards', {
    timeout: 120_000,
  }, async () => {
    let reached = 0;
    for (let at = 0; at < 60; at += 1) {
      const { scene, old } = await stage(command);
      const pause = new PausePoint(at);
      const first = scene.lead(pause.wrapping());
      const run = first.engine.run(scene.intent(), pause.term(first.term));
      await scene.clock.runUntilSettled(Promise.race([pause.reached, run.then(() => undefined)]));
      if (!pause.paused) break;
      reached += 1;
      await scene.clock.advance(15_000);
      const successor = scene.lead();
      if (scene.kv.entries(KEYS.intents).length > 0)
        expect(await scene.run(successor, scene.intent()), `${at}: ${JSON.stringify(scene.hold())}`).toBe('finished');
      await scene.clock.advance(3_600_000);
      pause.letGo();
      expect(await scene.clock.runUntilSettled(run), `${at} ${pause.names[at]}`).not.toBe('held');
      await scene.clock.advance(600_000);
      checkOutcome(scene, old, command);
    }
    console.log(`paused leaders, ${command.name}: ${reached} points`);
    expect(reached).toBeGreaterThanOrEqual(Math.min(command.pointsMin, 5));
  });
});
