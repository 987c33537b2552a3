import { type HistoryRecord, type Tags, TAG } from '@understudy/shared';
import type { Assessment } from './evidence.ts';

/** We have stopped the activated instance, or were about to, and no recovery of it is open. */
export interface OwnStop {
  readonly opId: string;
  /** An operator has ended that recovery; else its records are gone. */
  readonly abandoned: boolean;
}

export interface OwnStopFacts {
  readonly instanceId: string;
  /** Of the instance, from EC2; null: not read. */
  readonly tags: Tags | null;
  readonly launchedAtWallMs: number | null;
  /** Of the member. */
  readonly history: readonly HistoryRecord[];
  /** A recovery without an intent whose journal has a fence of this instance; null: none. */
  readonly journalOpId: string | null;
  /** Newest heartbeat anybody heard of it. */
  readonly lastHeardWallMs: number | null;
}

/**
 * Was it we who stopped this instance? By the history of an abandoned recovery, a journal left
 * behind, or the tag that outlives both. Whoever was started, or heard, after that is nobody's stop
 * of ours any more.
 */
export function ownStopOf(facts: OwnStopFacts): OwnStop | null {
  const { instanceId, history, tags, journalOpId } = facts;
  const ended = history
    .filter((one) => one.outcome === 'abandoned' && one.oldInstanceId === instanceId)
    .toSorted((a, b) => b.endedAtWallMs - a.endedAtWallMs)[0];
  if (ended) return livesAgain(facts, ended) ? null : { opId: ended.opId, abandoned: true };
  if (journalOpId !== null) return { opId: journalOpId, abandoned: false };
  const { [TAG.fencedBy]: opId, [TAG.fencedRun]: fencedRun = '' } = tags ?? {};
  if (opId === undefined) return null;
  // Both times are EC2's, for whose clock it is; but one that was marked, never stopped, and
  // stopped by an operator later waits for a person too.
  return startedAfter(facts, Date.parse(fencedRun)) ? null : { opId, abandoned: false };
}

/**
 * One that was seen stopped lives again only once EC2 has started it anew, by EC2's own clock: a
 * leader whose clock was set back would date its recovery before its launch, and our own stop would
 * pass for an operator's.
 */
function livesAgain(facts: OwnStopFacts, ended: HistoryRecord): boolean {
  const { oldLaunchedAtWallMs, endedAtWallMs, fencedBy } = ended;
  if (fencedBy !== 'stopped') return livedAfter(facts, endedAtWallMs);
  return startedAfter(facts, oldLaunchedAtWallMs ?? endedAtWallMs);
}

/**
 * EC2 dates a launch anew with every start. `NaN` (a time that cannot be read) is never before
 * anything.
 */
const startedAfter = ({ launchedAtWallMs }: OwnStopFacts, atWallMs: number): boolean =>
  (launchedAtWallMs ?? 0) > atWallMs;

/**
 * As {@link startedAfter}, or heard since. Heartbeats are dated by whoever heard them, whose clock
 * may be ahead.
 */
const livedAfter = ({ launchedAtWallMs, lastHeardWallMs }: OwnStopFacts, atWallMs: number): boolean =>
  Math.max(launchedAtWallMs ?? 0, lastHeardWallMs ?? 0) > atWallMs;

/**
 * What EC2 says of a machine that somebody stopped: without our own traces it would be an
 * operator's stop, or nobody's.
 */
const STOPPED: ReadonlySet<Assessment['reasonCode']> = new Set([
  'OperatorStopped',
  'OperatorHibernated',
  'OsShutdown',
  'StoppedUnexplained',
]);

/**
 * **S** Our own stop is never an operator's: where one is known, the member waits for a person,
 * visibly, until its instance is started or a recovery is asked for (`askedBy`). A member whose
 * recovery was abandoned waits so although its instance was never stopped.
 */
export function weighOwnStop(assessment: Assessment, own: OwnStop | null, askedBy: string | null): Assessment {
  if (own === null || assessment.verdict === 'alive') return assessment;
  const stopped = STOPPED.has(assessment.reasonCode);
  if (!stopped && !(own.abandoned && assessment.act)) return assessment;
  const what = own.abandoned
    ? `its recovery ${own.opId} was abandoned`
    : `it was stopped by our own recovery ${own.opId}, of which no record is left`;
  if (askedBy !== null)
    return {
      ...assessment,
      verdict: 'dead',
      act: true,
      reasonCode: stopped ? 'OperatorAsked' : assessment.reasonCode,
      reason: `${askedBy} asked for a recovery: ${what}.`,
      recheckInMs: Math.min(assessment.recheckInMs, 1_000),
    };
  return {
    ...assessment,
    verdict: stopped ? 'unknown' : assessment.verdict,
    act: false,
    reasonCode: own.abandoned ? 'Abandoned' : 'StoppedByOwnFence',
    reason: `Nothing is done for it: ${what}.`,
    wouldChange: ['its instance is started ⇒ it serves again', 'understudy recover ⇒ a recovery begins'],
  };
}
