import type { FaultKind } from '@understudy/cloud-sim';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { CrashMonitor, type CrashMode } from './crash-points.ts';
import { KEYS, type Leader, MEMBER, RecoveryFixture } from './recovery-fixture.ts';

/** One EC2 fault, armed from the beginning. */
const anyMutation = fc.constantFrom(
  'StopInstances',
  'CreateNetworkInterface',
  'CreateSnapshots',
  'RegisterImage',
  'RunInstances',
  'RunInstances',
  'TerminateInstances',
  'DeleteNetworkInterface',
  'DisassociateAddress',
  'AssociateAddress',
  'ModifyInstanceAttribute',
  'CreateTags',
);
const anyRead = fc.constantFrom(
  'DescribeInstances',
  'DescribeSnapshots',
  'DescribeImages',
  'DescribeNetworkInterfaces',
  'DescribeAddresses',
  'DescribeVolumes',
);
const times = fc.integer({ min: 1, max: 4 });
const afterCalls = fc.integer({ min: 0, max: 2 });
const delayMs = fc.constantFrom(1_000, 8_000, 30_000, 120_000, 600_000);

interface RandomFault {
  readonly action: string;
  readonly kind: FaultKind;
  readonly times: number;
  readonly afterCalls: number;
  readonly delayMs?: number;
  readonly code?: string;
}

const lost = fc.record({
  action: anyMutation,
  kind: fc.constantFrom<FaultKind>('timeout-after-success', 'timeout-before', 'throttle', 'error'),
  times,
  afterCalls,
});
const late = fc.record({
  action: anyMutation,
  kind: fc.constant<FaultKind>('late-landing'),
  times,
  afterCalls,
  delayMs,
});
const stale = fc.record({
  action: anyRead,
  kind: fc.constant<FaultKind>('stale-read'),
  times: fc.integer({ min: 1, max: 40 }),
  afterCalls,
  delayMs,
});
const unread = fc.record({
  action: anyRead,
  kind: fc.constantFrom<FaultKind>('timeout-before', 'throttle', 'error'),
  times,
  afterCalls,
});
const fate = fc.oneof(
  fc.record({
    action: fc.constant('RunInstances'),
    kind: fc.constantFrom<FaultKind>('capacity', 'launch-then-terminate'),
    times,
    afterCalls,
  }),
  fc.record({
    action: fc.constant('CreateSnapshots'),
    kind: fc.constant<FaultKind>('snapshot-error'),
    times,
    afterCalls,
  }),
  fc.record({
    action: fc.constant('StopInstances'),
    kind: fc.constant<FaultKind>('stuck-stopping'),
    times: fc.constant(1),
    afterCalls,
    delayMs,
  }),
);
const anyFault: fc.Arbitrary<RandomFault> = fc.oneof(lost, lost, late, late, stale, unread, fate);

/** How a leader ends: killed at a point, or superseded while it goes on believing for a while. */
const anyEnd = fc.oneof(
  fc.record({
    kind: fc.constant('killed' as const),
    at: fc.integer({ min: 0, max: 180 }),
    mode: fc.constantFrom<CrashMode>('before', 'no-reply', 'not-recorded', 'recorded'),
  }),
  fc.record({ kind: fc.constant('superseded' as const), afterMs: fc.integer({ min: 10, max: 120_000 }) }),
);

const anyRun = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  faults: fc.array(anyFault, { maxLength: 6 }),
  ends: fc.array(anyEnd, { maxLength: 3 }),
  mute: fc.boolean(),
  kvLossAtMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: null }),
});
type RandomRun = typeof anyRun extends fc.Arbitrary<infer T> ? T : never;

const tally = { runs: 0, killed: 0, superseded: 0, faults: 0, held: 0, launches: new Map<number, number>() };

async function stage(run: RandomRun) {
  const scene = new RecoveryFixture({
    seed: run.seed,
    policy: { recover: { verifyTimeoutMs: 60_000, fenceTimeoutMs: 300_000 } },
  });
  const { subnets } = scene.sim.defaultResources;
  scene.policy.recover.placements.push(...['us-east-1a', 'us-east-1b'].map((az) => ({ subnetId: subnets[az] ?? '' })));
  const old = scene.seedMember();
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  for (const [index, fault] of run.faults.entries()) scene.sim.addFault({ id: `f${index}`, ...fault });
  if (run.mute) {
    const unsubscribe = scene.sim.onEvent((event) => {
      if (event.kind !== 'transition' || event.resourceKind !== 'instance' || event.from !== null) return;
      scene.silent.add(event.resourceId);
      unsubscribe();
    });
  }
  return { scene, old };
}

/** The spell of a leader that will not live to the end. What it leaves running goes on running. */
async function spell(
  scene: RecoveryFixture,
  end: RandomRun['ends'][number],
  running: Promise<unknown>[],
): Promise<void> {
  const monitor = end.kind === 'killed' ? new CrashMonitor(end.at, end.mode) : new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  const run = leader.engine.run(scene.intent(), monitor.term(leader.term));
  if (end.kind === 'superseded') {
    // It keeps its own belief: no deadline ends it, only the store does.
    running.push(run);
    await scene.clock.runUntilSettled(Promise.race([run, scene.clock.sleep(end.afterMs)]));
    tally.superseded += 1;
    return;
  }
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run]));
  if (monitor.dead) tally.killed += 1;
  await scene.clock.advance(12_000);
}

/** Counts those that struck. */
function endFaults(scene: RecoveryFixture): void {
  tally.faults += scene.sim.faults().filter((fault) => fault.fired > 0).length;
  scene.sim.clearFaults();
}

const isOpen = (scene: RecoveryFixture): boolean => scene.kv.entries(KEYS.intents).length > 0;

/**
 * Faults are over: within a bounded number of runs it must be through. An operator removes the
 * holds that wait for one.
 */
async function finish(scene: RecoveryFixture, leader: Leader): Promise<void> {
  for (let tries = 0; tries < 12 && isOpen(scene); tries += 1) {
    if (tries === 6) endFaults(scene);
    const outcome = await scene.run(leader, scene.intent());
    if (outcome !== 'held') continue;
    tally.held += 1;
    scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.hold(MEMBER) }] });
    await scene.clock.advance(120_000);
  }
  expect(isOpen(scene), `still open: ${JSON.stringify(scene.hold())}`).toBe(false);
}

async function check(run: RandomRun): Promise<void> {
  const { scene, old } = await stage(run);
  const running: Promise<unknown>[] = [];
  for (const end of run.ends) {
    if (!isOpen(scene)) break;
    await spell(scene, end, running);
    checkSafety(scene, old);
  }
  const leader = scene.lead();
  const { kvLossAtMs } = run;
  if (kvLossAtMs !== null) {
    scene.clock.setTimer(kvLossAtMs, () =>
      scene.kv.client(leader.name).inject({ kind: 'loseReply', operation: 'txn', times: 2 }),
    );
  }
  await finish(scene, leader);
  checkSafety(scene, old);
  // Whatever was still on its way has landed by now, and leaders that were superseded have noticed.
  await scene.clock.advance(1_200_000);
  await scene.clock.runUntilSettled(Promise.allSettled(running));
  endFaults(scene);
  const newInstanceId = checkFinished(scene, old, { launches: 'any' });
  await checkCollected(scene, old, scene.lead(), newInstanceId);
  tally.runs += 1;
  const launches = scene.launchedFor(old.instanceId).length;
  tally.launches.set(launches, (tally.launches.get(launches) ?? 0) + 1);
}

describe('whatever goes wrong', () => {
  test('one replacement at a time, after the fence, with the address, and nothing left over', {
    timeout: 180_000,
  }, async () => {
    const runs = Number(process.env.UNDERSTUDY_RANDOM_RUNS ?? 200);
    const seed = Number(process.env.UNDERSTUDY_RANDOM_SEED ?? 20_261_123);
    await fc.assert(fc.asyncProperty(anyRun, check), {
      numRuns: runs,
      seed,
      endOnFailure: process.env.UNDERSTUDY_SHRINK === undefined,
    });
    console.log(`random faults: ${JSON.stringify({ ...tally, launches: [...tally.launches] })}`);
    expect(tally.killed).toBeGreaterThan(runs / 4);
    expect(tally.superseded).toBeGreaterThan(runs / 4);
    expect(tally.faults).toBeGreaterThan(runs / 2);
    expect(tally.held).toBeGreaterThan(0);
    expect(tally.launches.get(1) ?? 0).toBeGreaterThan(0);
    expect(tally.launches.get(2) ?? 0).toBeGreaterThan(0);
  });
});
