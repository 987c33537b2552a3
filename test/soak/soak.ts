import { execFileSync } from 'node:child_process';
import {
  buildTheatre,
  coordinatorClient,
  ProcessGroup,
  readScene,
  SceneWatch,
  type Theatre,
  type TheatreSetting,
} from '@understudy/cli/demo';
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
import type { Stage } from './stage.ts';

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

const SCENE_EVERY_MS = 300;
const LEDGER_EVERY_MS = 1_000;
const SAY_EVERY_MS = 30_000;
/** After the last failure: retention, a pass of the collector, and the termination it begins, with room to spare. */
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

/** Repeats until `ended`, at an even pace; what fails once (a process was killed a moment ago) is tried again the next time. */
async function every(clock: Clock, periodMs: number, ended: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!ended.aborted) {
    const beganAtMs = clock.monotonicMs();
    await work().catch(() => undefined);
    const restMs = Math.max(0, periodMs - (clock.monotonicMs() - beganAtMs));
    await clock.sleep(restMs, ended).catch(() => undefined);
  }
}

function openStage(options: SoakOptions, theatre: Theatre, pace: Pace, curtain: AbortSignal): Stage {
  const { clock, signal, say } = options;
  const failures = new Failures();
  // The one that is never killed answers first.
  const client = coordinatorClient(theatre.urls.toReversed());
  const watch = new SceneWatch({
    clock,
    read: () => readScene(clock, client, (url) => coordinatorClient([url])),
    onScene: (scene) => failures.observe(scene),
  });
  return {
    ...{ clock, theatre, watch, failures, pace, curtain, signal, say },
    reserved: new Set(),
    happened: new Map(),
    violations: [],
  };
}

/** Faults until the curtain falls; resolves when all of them are put right. */
async function harm(stage: Stage): Promise<void> {
  const { pace, signal, watch } = stage;
  const limits = { limitMs: 30_000, signal };
  await watch.until('all coordinators', (scene) => scene.status.coordinators.length === 3, limits);
  stage.say(`  · failures for ${(pace.runMs / 60_000).toFixed(1)} minutes`);
  await Promise.all([crashInstances(stage), harmCoordinators(stage), harmEtcd(stage), stopInstances(stage)]);
}

/** Nothing fails any more: what was left behind on purpose has to go by itself. */
async function tidied(stage: Stage, cloud: CloudReading): Promise<void> {
  const { clock, signal } = stage;
  const startedAtMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedAtMs < TIDY_LIMIT_MS) {
    const left = await leftovers(stage, cloud).catch(() => ['not readable']);
    if (left.length === 0) return;
    await clock.sleep(1_000, signal);
  }
}

function progress(stage: Stage, recording: Recording, startedAtMs: number): string {
  const minutes = ((stage.clock.monotonicMs() - startedAtMs) / 60_000).toFixed(1);
  const faults = [...stage.happened].map(([kind, times]) => `${times} × ${kind}`).join(', ');
  return `  · ${minutes} min: ${faults}; ${stage.failures.open.length} open, ${recording.sampleCount} samples`;
}

/** Builds the cluster, harms it for `runMs`, lets it come to rest, and judges. @throws what the set-up throws; the signal's reason */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { clock, signal, runMs, memberCount } = options;
  const pace = paceOf(runMs);
  const setting: TheatreSetting = soakSetting(memberCount, pace);
  const theatre = await buildTheatre({ ...options, setting }, options.dir, options.group);
  const curtain = new AbortController();
  const stage = openStage(options, theatre, pace, curtain.signal);
  const cloud = new CloudReading(theatre.cloudUrl);
  const [ledger, recording] = [new CloudLedger(cloud), new Recording()];
  const startedAt = new Date(clock.wallMs()).toISOString();
  // Now: what is committed meanwhile did not run.
  const commit = commitOf();
  const startedAtMs = clock.monotonicMs();
  const sampler = new Sampler({ clock, theatre, cloud, recording, startedAtMs });
  const ended = new AbortController();
  const untilEnd = AbortSignal.any([ended.signal, signal]);
  const curtainTimer = clock.setTimer(runMs, () => curtain.abort(new Error('the run is over')));
  stage.watch.start(SCENE_EVERY_MS);
  const beside = Promise.all([
    every(clock, stage.pace.sampleEveryMs, AbortSignal.any([curtain.signal, signal]), () => sampler.sample()),
    every(clock, LEDGER_EVERY_MS, untilEnd, () => ledger.read()),
    every(clock, SAY_EVERY_MS, curtain.signal, async () => stage.say(progress(stage, recording, startedAtMs))),
  ]);
  try {
    await harm(stage);
    await tidied(stage, cloud);
    ended.abort(new Error('at rest'));
    await beside;
    const report: SoakReport = {
      ...{ commit, startedAt, runMs, memberCount },
      happened: Object.fromEntries(stage.happened),
      audit: await audit(stage, ledger, cloud),
      failures: stage.failures.all,
      rows: rowsOf(recording, runMs, stage.pace.shortestSeriesMs),
      sampleCount: recording.sampleCount,
    };
    return { report, recording };
  } finally {
    curtainTimer.cancel();
    curtain.abort(new Error('the run is over'));
    ended.abort(new Error('the run is over'));
    await stage.watch.stop();
    await sampler.close();
    theatre.operator.close();
  }
}
