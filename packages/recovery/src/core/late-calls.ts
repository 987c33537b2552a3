import type { CloudInstance, HistoryRecord, RecoveryPlan } from '@understudy/shared';
import type { Finding } from './finding.ts';
import { readStepId } from './step-id.ts';

/**
 * A call whose outcome was open when its recovery ended may land for this long. AWS takes no
 * request that was signed more than 5 minutes ago, by clocks that are at most 5 minutes off; the
 * rest is room.
 */
export const LATE_CALL_MS = 900_000;

/**
 * The plan, with what earlier recoveries of this instance may still do to it: a call that was sent
 * and whose outcome nobody knows may land at any later time (A5).
 */
export function withLateCalls<P extends RecoveryPlan>(
  planned: P,
  history: readonly HistoryRecord[],
  { instanceId, state }: Pick<CloudInstance, 'instanceId' | 'state'>,
): P {
  const plan = withState(withProtection(planned, history, instanceId), state);
  const mayStart = history.some(
    ({ oldInstanceId, newInstanceId, lateCalls = [] }) =>
      (newInstanceId ?? oldInstanceId) === instanceId && lateCalls.includes('start'),
  );
  return mayStart ? { ...plan, startMayLand: true } : plan;
}

/**
 * A recovery that gave back disks which a call of it may take off again, or has; or that has asked
 * for the end of the instance.
 */
export interface LateDetach {
  /** Until then it may land. */
  readonly untilWallMs: number;
  /** The disks that it had begun to move. */
  readonly volumeIds: readonly string[];
  /** It may end the instance. Absent: it takes disks off. */
  readonly ends?: true;
}

const TAKES: ReadonlySet<string> = new Set(['detach', 'terminate']);

/** Those of this instance, the newest last. What a person has looked at counts no more. */
export const lateDetachesOf = (history: Iterable<HistoryRecord>, instanceId: string): readonly LateDetach[] =>
  [...history]
    .filter(({ oldInstanceId, newInstanceId }) => (newInstanceId ?? oldInstanceId) === instanceId)
    .filter(({ lateCalls = [], acknowledged }) => acknowledged === undefined && lateCalls.some((one) => TAKES.has(one)))
    .sort((a, b) => a.ordinal - b.ordinal)
    .map(({ endedAtWallMs, steps, lateCalls = [] }) => ({
      untilWallMs: endedAtWallMs + LATE_CALL_MS,
      ...(lateCalls.includes('terminate') && { ends: true as const }),
      volumeIds: steps.flatMap(({ step }) => {
        const { name, item } = readStepId(step);
        return name === 'detach' && lateCalls.includes('detach') ? [item] : [];
      }),
    }));

/**
 * **S** (S27) Why this way may not be taken now, or any, because of a disk that was given back and
 * that a call of ours may take off again: no machine runs with such a disk, and none is made from
 * what is left. Null: nothing is in the way.
 */
export function lateDetachObstacle(
  late: readonly LateDetach[],
  instance: Pick<CloudInstance, 'instanceId' | 'volumes'>,
  { inPlace, nowWallMs }: { readonly inPlace: boolean; readonly nowWallMs: number },
): Finding | null {
  const { instanceId } = instance;
  // **S** (S32) No way leads from what may end at any moment, in place or not.
  const ends = Math.max(0, ...late.filter((one) => one.ends).map((one) => one.untilWallMs));
  if (nowWallMs < ends) {
    const text = `a call that terminates ${instanceId} may land until ${new Date(ends).toISOString()}: nothing is begun with it before`;
    return { code: 'EndMayLand', text };
  }
  const there = new Set(instance.volumes.map((one) => one.volumeId));
  const gone = [...new Set(late.flatMap((one) => one.volumeIds))].filter((id) => !there.has(id));
  if (gone.length > 0) {
    const text = `a call of an earlier recovery has taken ${gone.join(', ')} off ${instanceId} after it was given back: attach it again, or say that it is not wanted (understudy acknowledge)`;
    return { code: 'DiskTakenOff', text };
  }
  const untilWallMs = Math.max(0, ...late.filter((one) => !one.ends).map((one) => one.untilWallMs));
  if (!inPlace || nowWallMs >= untilWallMs) return null;
  const text = `a call that takes a disk off ${instanceId} may land until ${new Date(untilWallMs).toISOString()}: it is not started before`;
  return { code: 'DetachMayLand', text };
}

/** A protection that is owed to it is not there yet, and is its own nevertheless. */
function withProtection<P extends RecoveryPlan>(plan: P, history: readonly HistoryRecord[], instanceId: string): P {
  const chores = history.flatMap(({ owed }) => owed.map((one) => one.chore));
  const isOwed = chores.some((one) => one.kind === 'protect' && one.instanceId === instanceId && one.stop);
  return isOwed ? { ...plan, protection: { ...plan.protection, stop: true } } : plan;
}

/** Only where the plan is one that builds of the level before do not read. */
const withState = <P extends RecoveryPlan>(plan: P, state: CloudInstance['state']): P =>
  state === 'running' || plan.strategy === 'snapshot-and-replace' ? plan : { ...plan, wasDown: true };
