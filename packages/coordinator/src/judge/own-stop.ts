import { LATE_CALL_MS, readStepId } from '@understudy/recovery';
import { type HistoryRecord, type Tags, TAG } from '@understudy/shared';
import type { Assessment } from './evidence.ts';

/** We have stopped the activated instance, or were about to, and no recovery of it is open. */
export interface OwnStop {
  readonly opId: string;
  /** An operator ended that recovery. False: its records are gone, or its stop was late. */
  readonly abandoned: boolean;
  /** It ended without having brought it back: the failure goes on. */
  readonly goesOn?: true;
  /** Its stop may have landed late; or a person has stopped it, which looks the same in EC2. */
  readonly inDoubt?: true;
}

export interface OwnStopFacts {
  readonly instanceId: string;
  /** The instance's tags, from EC2. Null: not read. */
  readonly tags: Tags | null;
  readonly launchedAtWallMs: number | null;
  /** The member's history. */
  readonly history: readonly HistoryRecord[];
  /**
   * A recovery whose journal has a fence of this instance and which has no intent. Null: there is
   * none.
   */
  readonly journalOpId: string | null;
  /** Newest heartbeat of the instance that any observer heard. */
  readonly lastHeardWallMs: number | null;
}

/**
 * Tells whether we stopped this instance: by the history of an abandoned recovery, by a journal
 * left behind, or by the tag that outlives both. An instance that was started, or heard, after that
 * no longer counts as stopped by us.
 */
export function ownStopOf(facts: OwnStopFacts): OwnStop | null {
  const { instanceId, history, tags, journalOpId } = facts;
  const about = history
    .filter((one) => (one.newInstanceId ?? one.oldInstanceId) === instanceId)
    .toSorted((a, b) => b.ordinal - a.ordinal || b.endedAtWallMs - a.endedAtWallMs);
  const ended = about.find((one) => !isChangeOver(one));
  const own = (ended ? leftBy(facts, ended) : null) ?? landedLate(facts, about);
  if (own || ended) return own;
  if (journalOpId !== null) return { opId: journalOpId, abandoned: false };
  const { [TAG.fencedBy]: opId, [TAG.fencedRun]: fencedRun = '' } = tags ?? {};
  if (opId === undefined) return null;
  // Both times are EC2's, from one clock. An instance that was marked, never stopped, and stopped
  // by an operator later waits for a person too.
  return startedAfter(facts, Date.parse(fencedRun)) ? null : { opId, abandoned: false };
}

/** By the newest one: abandoned, in place, or one that gave back what it had taken. */
function leftBy(facts: OwnStopFacts, ended: HistoryRecord): OwnStop | null {
  const { opId, outcome, fencedBy } = ended;
  if (livesAgain(facts, ended)) return null;
  if (outcome === 'abandoned') return { opId, abandoned: true };
  return outcome === 'not-mended' && fencedBy === 'stopped' ? { opId, abandoned: false, goesOn: true } : null;
}

/**
 * A Stop of any of them, also of the recovery that made the instance from a seed, that can have
 * landed since. **S** (S28) A member that was back is not recovered for it, because a person may
 * have stopped it: it is held, for a person. What a person has ended does not go on by itself.
 */
function landedLate(facts: OwnStopFacts, about: readonly HistoryRecord[]): OwnStop | null {
  const late = about.find((one) => mayStop(one) && !livedAfter(facts, stopSentByWallMs(one) + LATE_CALL_MS));
  if (!late) return null;
  if (about.some((one) => one.outcome === 'abandoned')) return { opId: late.opId, abandoned: false };
  const goesOn = about[0]?.outcome === 'not-mended';
  return { opId: late.opId, abandoned: false, ...(goesOn ? { goesOn } : { inDoubt: true }) };
}

/** Steps that stop an instance. */
const STOPPING: ReadonlySet<string> = new Set(['fence', 'seed', 'detach', 'activate']);

/** Its last Stop was sent before this. A stop that comes too late for it is an operator's own. */
function stopSentByWallMs({ steps, endedAtWallMs, fencedBy }: HistoryRecord): number {
  const ends = steps.filter(({ step }) => STOPPING.has(readStepId(step).name)).map((one) => one.endedAtWallMs);
  if (fencedBy === 'lease' || ends.length === 0) return endedAtWallMs;
  return Math.max(...ends.map((one) => one ?? endedAtWallMs));
}

/** After a lease that was waited out, the Stop that was sent may take effect whenever it can. */
const mayStop = ({ outcome, fencedBy, lateCalls = [] }: HistoryRecord): boolean =>
  lateCalls.includes('stop') || (fencedBy === 'lease' && !isChangeOver({ outcome }));

/** It ended with another instance in charge. */
const isChangeOver = ({ outcome }: Pick<HistoryRecord, 'outcome'>): boolean =>
  outcome === 'replaced' || outcome === 'undone';

/**
 * An instance that was seen stopped lives again only once EC2 has started it anew, by EC2's own
 * clock. A leader whose clock was set back would date its recovery before the launch, and our own
 * stop would pass for an operator's.
 */
function livesAgain(facts: OwnStopFacts, ended: HistoryRecord): boolean {
  const { lastLaunchedAtWallMs, oldLaunchedAtWallMs, endedAtWallMs, fencedBy } = ended;
  if (fencedBy !== 'stopped') return livedAfter(facts, endedAtWallMs);
  return startedAfter(facts, lastLaunchedAtWallMs ?? oldLaunchedAtWallMs ?? endedAtWallMs);
}

/**
 * EC2 dates a launch anew with every start. `NaN` (a time that cannot be read) is never before
 * anything.
 */
const startedAfter = ({ launchedAtWallMs }: OwnStopFacts, atWallMs: number): boolean =>
  (launchedAtWallMs ?? 0) > atWallMs;

/**
 * Started after the time (see {@link startedAfter}), or heard since. Heartbeats are dated by the
 * observer that heard them, whose clock may be ahead.
 */
const livedAfter = ({ launchedAtWallMs, lastHeardWallMs }: OwnStopFacts, atWallMs: number): boolean =>
  Math.max(launchedAtWallMs ?? 0, lastHeardWallMs ?? 0) > atWallMs;

/**
 * What EC2 says of a machine that was stopped. Without our own traces this would count as an
 * operator's stop, or as nobody's.
 */
const STOPPED: ReadonlySet<Assessment['reasonCode']> = new Set([
  'OperatorStopped',
  'OperatorHibernated',
  'OsShutdown',
  'StoppedUnexplained',
]);

/**
 * **S** Our own stop is never taken for an operator's. The member waits for a person, visibly,
 * until its instance is started or a recovery is asked for (`askedBy`). A member whose recovery was
 * abandoned waits too, although its instance was never stopped.
 */
export function weighOwnStop(assessment: Assessment, own: OwnStop | null, askedBy: string | null): Assessment {
  if (own === null || assessment.verdict === 'alive') return assessment;
  const stopped = STOPPED.has(assessment.reasonCode);
  if (own.goesOn) return stopped ? notMended(assessment, own) : assessment;
  if (!stopped && !(own.abandoned && assessment.act)) return assessment;
  const what = own.abandoned ? `its recovery ${own.opId} was abandoned` : stopText(own);
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

const stopText = ({ opId, inDoubt }: OwnStop): string =>
  inDoubt
    ? `a stop of our own recovery ${opId} may have landed late, or a person has stopped it`
    : `it was stopped by our own recovery ${opId}, which is over`;

/**
 * **S** (S10) Our own stop has left it down, so the failure goes on; and it is dead as any other
 * member is, once all who vote are silent and are enough.
 */
function notMended(assessment: Assessment, { opId }: OwnStop): Assessment {
  const { silentEverywhere, met } = assessment.quorum;
  const act = silentEverywhere && met;
  return {
    ...assessment,
    verdict: act ? 'dead' : 'suspect',
    act,
    reasonCode: 'NotMended',
    reason: `It was stopped by our own recovery ${opId}, and is not back.`,
    wouldChange: ['a heartbeat heard by any observer ⇒ alive', 'its instance is started ⇒ it serves again'],
    recheckInMs: Math.min(assessment.recheckInMs, 1_000),
  };
}
