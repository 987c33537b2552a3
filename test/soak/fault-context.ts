import type { ClusterSnapshot, SnapshotPoller, LocalCluster } from '@understudy/local-cluster';
import type { Clock, MemberView } from '@understudy/shared';
import type { Failures } from './failures.ts';
import type { Pace } from './soak-setting.ts';

export const FAULT_KINDS = [
  'instance crashed',
  'coordinator killed',
  'coordinator paused',
  'etcd member killed',
  'instance stopped by its operator',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What the fault loops share. */
export interface FaultContext {
  readonly clock: Clock;
  readonly cluster: LocalCluster;
  readonly poller: SnapshotPoller;
  readonly failures: Failures;
  readonly pace: Pace;
  /** Aborted when the run is over. No fault begins after that; those under way are put right. */
  readonly runOver: AbortSignal;
  /** Aborted when a person interrupts the run. */
  readonly signal: AbortSignal;
  /** Members an operator is busy with. No other fault harms them. */
  readonly reserved: Set<string>;
  /** How often each fault was *seen* to have happened. */
  readonly happened: Map<FaultKind, number>;
  readonly violations: string[];
  say(line: string): void;
}

export function count(context: FaultContext, kind: FaultKind): void {
  context.happened.set(kind, (context.happened.get(kind) ?? 0) + 1);
}

/** Waits, but not beyond the end of the run. */
export const pause = (context: FaultContext, durationMs: number): Promise<void> =>
  context.clock.sleep(durationMs, AbortSignal.any([context.runOver, context.signal])).catch(() => undefined);

export const isOver = (context: FaultContext): boolean => context.runOver.aborted || context.signal.aborted;

export const memberIn = (snapshot: ClusterSnapshot | null, member: string): MemberView | undefined =>
  snapshot?.members.find((each) => each.member === member);

/**
 * True when the member is well, every observer knows it, and nothing is under way. What happens to
 * it now is our doing.
 */
export const isAtRest = (view: MemberView): boolean =>
  view.verdict === 'alive' &&
  view.recovery === null &&
  view.hold === null &&
  view.opinions.filter((one) => one.verdict === 'alive').length >= 3;
