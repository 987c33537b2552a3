import { type LocalMember, localMember, LOCAL_TIMES, type LocalClusterSetting, ZONES } from '@understudy/local-cluster';

/** How fast things go wrong. Durations are in ms. */
export interface Pace {
  readonly runMs: number;
  /** Largest number of members that are down at the same time. */
  readonly failuresAtOnce: number;
  /** Least time between two crashes. */
  readonly crashEveryMs: number;
  readonly coordinatorEveryMs: number;
  readonly etcdEveryMs: number;
  readonly operatorEveryMs: number;
  readonly sampleEveryMs: number;
  /** Ended recoveries kept per member. They are few, so that trimming happens within the run. */
  readonly historyKept: number;
  /**
   * A series that covers less is not judged. It is half of the run, and never less than a process
   * needs to warm up.
   */
  readonly shortestSeriesMs: number;
}

const SHORT_RUN_MS = 300_000;

export const paceOf = (runMs: number): Pace => ({
  runMs,
  failuresAtOnce: 2,
  crashEveryMs: 1_500,
  // In a short run they are still far enough apart for a recovery to get through.
  coordinatorEveryMs: Math.min(20_000, runMs / 3),
  etcdEveryMs: Math.min(150_000, runMs / 2),
  operatorEveryMs: Math.min(60_000, runMs / 3),
  historyKept: runMs < SHORT_RUN_MS ? 1 : 2,
  sampleEveryMs: Math.min(5_000, Math.max(1_000, runMs / 60)),
  shortestSeriesMs: Math.max(runMs / 2, SHORT_RUN_MS),
});

/** A paused coordinator must lose its lease, or nothing was tried. */
export const PAUSE_MS = LOCAL_TIMES.leaseTtlMs + 2_000;

/** Members that are never harmed. Their agents live as long as the run. */
const STEADY: readonly LocalMember[] = [
  localMember('steady', 'files', 'a', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }], dataGoesToo: true }),
  localMember('steady', 'plain', 'b'),
];
export const STEADY_COUNT = STEADY.length;

/** One in three has an address, and two in three have a data volume. */
function mortal(index: number): LocalMember {
  const zone = ZONES[index % ZONES.length] ?? 'a';
  const dataVolumes = index % 3 === 2 ? [] : [{ deviceName: '/dev/sdf', sizeGiB: 1 }];
  return localMember('mortal', `m${index + 1}`, zone, { dataVolumes, elasticIp: index % 3 === 0, dataGoesToo: true });
}

export const isMortal = (member: string): boolean => member.startsWith('mortal/');

/**
 * The demo's cluster under a policy that allows failure after failure. It is no advice for a
 * policy. Retention is short, so that old instances, captures and history come and go many times
 * within a run.
 */
export function soakSetting(memberCount: number, { runMs, historyKept }: Pace): LocalClusterSetting {
  const retainMs = Math.min(20_000, runMs / 10);
  return {
    members: [...STEADY, ...Array.from({ length: memberCount - STEADY_COUNT }, (_, index) => mortal(index))],
    speed: 20,
    coordinator: {
      loop: { collectEveryMs: 2_000, historyKept, retryHeldEveryMs: 2_000 },
      guard: {
        budgetPerMinute: 60,
        budgetBurst: 6,
        // Two fail at a time, and recovered ones count for the window too.
        massMinimum: 6,
        zoneMinimum: 6,
        massWindowMs: 5_000,
      },
      policy: {
        guard: { concurrency: 4, cooldownMs: 1_000, flapLimit: historyKept, flapWindowMs: 1_000, bootGraceMs: 1_000 },
        recover: { retainForMs: retainMs, retainCaptureForMs: retainMs * 1.5 },
      },
    },
    cloud: {
      kept: { events: 4_000, launches: 2_000, tokens: 500 },
      // The real value is an hour. At speed 20 that is three minutes; half a minute shows as much.
      latency: { 'instance.terminated-visible': [600_000, 600_000] },
      log: { level: 'warn' },
    },
    // Left alone, V8's young generation goes from 1 to 64 MiB and back in ten minutes. A leak of a
    // few MiB cannot be seen beside it.
    environment: { NODE_OPTIONS: '--max-semi-space-size=2' },
  };
}
