import { execFileSync } from 'node:child_process';
import {
  startLocalCluster,
  ProcessGroup,
  readSnapshot,
  SnapshotPoller,
  type LocalCluster,
  type LocalClusterSetting,
} from '@understudy/local-cluster';
import { coordinatorClient } from '@understudy/shared/node';
import type { Clock, Random } from '@understudy/shared';
import { audit, leftovers } from './audit.ts';
import { CloudLedger } from './cloud-ledger.ts';
import { CloudReading } from './cloud-reading.ts';
import { crashInstances } from './crashes.ts';
import { Failures } from './failures.ts';
import { stopInstances } from './operator-stops.ts';
import { harmCoordinators, harmEtcd } from './process-faults.ts';
import { Recording, rowsOf } from './recording.ts';
import type { SoakReport } from './report.ts';
import { Sampler } from './sampler.ts';
import { type Pace, paceOf, soakSetting } from './soak-setting.ts';
import type { FaultContext } from './fault-context.ts';

export interface SoakOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly runMs: number;
  readonly memberCount: number;
  readonly dir: string;
  readonly group: ProcessGroup;
  readonly signal: AbortSignal;
  say(line: string): void;
}

export interface Soaked {
  readonly report: SoakReport;
  readonly recording: Recording;
}

const SNAPSHOT_EVERY_MS = 300;
const LEDGER_EVERY_MS = 1_000;
const SAY_EVERY_MS = 30_000;
/**
 * Time after the last failure for retention, a pass of the collector, and the termination it
 * begins, with room to spare.
 */
const TIDY_LIMIT_MS = 90_000;

/** `0123abc`, or `0123abc+` when what runs is not what is committed. */
function commitOf(): string | null {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}

/**
 * Repeats until `ended`, at an even pace. Work that fails once (a process was killed a moment ago)
 * is tried again the next time.
 */
async function every(clock: Clock, periodMs: number, ended: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!ended.aborted) {
    const beganAtMs = clock.monotonicMs();
    await work().catch(() => undefined);
    const restMs = Math.max(0, periodMs - (clock.monotonicMs() - beganAtMs));
    await clock.sleep(restMs, ended).catch(() => undefined);
  }
}

function openContext(options: SoakOptions, cluster: LocalCluster, pace: Pace, runOver: AbortSignal): FaultContext {
  const { clock, signal, say } = options;
  const failures = new Failures();
  // The one that is never killed answers first.
  const client = coordinatorClient(cluster.urls.toReversed());
  const poller = new SnapshotPoller({
    clock,
    read: () => readSnapshot(clock, client, (url) => coordinatorClient([url])),
    onSnapshot: (snapshot) => failures.observe(snapshot),
  });
  return {
    ...{ clock, cluster, poller, failures, pace, runOver, signal, say },
    reserved: new Set(),
    happened: new Map(),
    violations: [],
  };
}

/** Makes faults until the run is over. Resolves when all of them are put right. */
async function harm(context: FaultContext): Promise<void> {
  const { pace, signal, poller } = context;
  const limits = { limitMs: 30_000, signal };
  await poller.until('all coordinators', (snapshot) => snapshot.status.coordinators.length === 3, limits);
  context.say(`  · failures for ${(pace.runMs / 60_000).toFixed(1)} minutes`);
  await Promise.all([crashInstances(context), harmCoordinators(context), harmEtcd(context), stopInstances(context)]);
}

/** Waits, with no further faults, until what was left behind on purpose has gone by itself. */
async function tidied(context: FaultContext, cloud: CloudReading): Promise<void> {
  const { clock, signal } = context;
  const startedAtMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedAtMs < TIDY_LIMIT_MS) {
    const left = await leftovers(context, cloud).catch(() => ['not readable']);
    if (left.length === 0) return;
    await clock.sleep(1_000, signal);
  }
}

function progress(context: FaultContext, recording: Recording, startedAtMs: number): string {
  const minutes = ((context.clock.monotonicMs() - startedAtMs) / 60_000).toFixed(1);
  const faults = [...context.happened].map(([kind, times]) => `${times} × ${kind}`).join(', ');
  return `  · ${minutes} min: ${faults}; ${context.failures.open.length} open, ${recording.sampleCount} samples`;
}

/**
 * Builds the cluster, harms it for `runMs`, lets it come to rest, and judges.
 * @throws what the set-up throws; the signal's reason
 */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { clock, signal, runMs, memberCount } = options;
  const pace = paceOf(runMs);
  const setting: LocalClusterSetting = soakSetting(memberCount, pace);
  const cluster = await startLocalCluster({ ...options, setting }, options.dir, options.group);
  const runOver = new AbortController();
  const context = openContext(options, cluster, pace, runOver.signal);
  const cloud = new CloudReading(cluster.cloudUrl);
  const [ledger, recording] = [new CloudLedger(cloud), new Recording()];
  const startedAt = new Date(clock.wallMs()).toISOString();
  // The commit is read now: what is committed meanwhile did not run.
  const commit = commitOf();
  const startedAtMs = clock.monotonicMs();
  const sampler = new Sampler({ clock, cluster, cloud, recording, startedAtMs });
  const ended = new AbortController();
  const untilEnd = AbortSignal.any([ended.signal, signal]);
  const runOverTimer = clock.setTimer(runMs, () => runOver.abort(new Error('the run is over')));
  context.poller.start(SNAPSHOT_EVERY_MS);
  const beside = Promise.all([
    every(clock, context.pace.sampleEveryMs, AbortSignal.any([runOver.signal, signal]), () => sampler.sample()),
    every(clock, LEDGER_EVERY_MS, untilEnd, () => ledger.read()),
    every(clock, SAY_EVERY_MS, runOver.signal, async () => context.say(progress(context, recording, startedAtMs))),
  ]);
  try {
    await harm(context);
    await tidied(context, cloud);
    ended.abort(new Error('at rest'));
    await beside;
    const report: SoakReport = {
      ...{ commit, startedAt, runMs, memberCount },
      happened: Object.fromEntries(context.happened),
      audit: await audit(context, ledger, cloud),
      failures: context.failures.all,
      rows: rowsOf(recording, runMs, context.pace.shortestSeriesMs),
      sampleCount: recording.sampleCount,
    };
    return { report, recording };
  } finally {
    runOverTimer.cancel();
    runOver.abort(new Error('the run is over'));
    ended.abort(new Error('the run is over'));
    await context.poller.stop();
    await sampler.close();
    cluster.operator.close();
  }
}
