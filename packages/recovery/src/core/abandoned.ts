import type { HistoryRecord, IntentRecord, JournalRecord, Leftover, OperatorAct, Unwritten } from '@understudy/shared';
import { stepsOf } from './history.ts';

/** What is known when a recovery is ended without a replacement. */
export interface AbandonFacts {
  readonly intent: IntentRecord;
  readonly records: readonly JournalRecord[];
  readonly term: number;
  readonly endedAtWallMs: number;
  readonly act: OperatorAct;
  readonly fencedBy: HistoryRecord['fencedBy'];
  /** True when a Stop was sent and its effect was not seen. Otherwise `fencedBy` says it. */
  readonly stopSent: boolean;
  readonly unprotected: boolean;
  /** Calls about the instance that may still land. */
  readonly lateCalls: NonNullable<HistoryRecord['lateCalls']>;
  readonly launchAttempts: number;
  /** What it has made, in the order in which it is written down. */
  readonly artefacts: readonly Pick<Leftover, 'kind' | 'id'>[];
  /** The same in words, one a kind. */
  readonly artefactTexts: readonly string[];
  /** The network interface of an attempt that was left open. */
  readonly permitId: string | null;
  readonly replacementId: string | null;
}

/** Says in what state everything is left, for the person who goes on from there. */
export function leftAs(facts: AbandonFacts): string[] {
  const { intent, artefactTexts, permitId, replacementId, unprotected } = facts;
  return [
    instanceText(facts),
    ...(unprotected ? [`the stop protection of ${intent.oldInstanceId} was taken off`] : []),
    ...artefactTexts,
    ...(permitId === null ? [] : [`network interface ${permitId}: a launch with it may still land`]),
    ...(replacementId === null
      ? []
      : [`instance ${replacementId}, launched and never activated: it does not serve; terminate it`]),
    ...intent.plan.addresses.map((one) => `${one.publicIp} (${one.allocationId}) was not moved`),
    ...(intent.plan.assigned ?? []).map((one) => `${one.address} was not moved`),
    ...(intent.plan.interfaces ?? []).map((one) => `${one.networkInterfaceId} was not moved`),
  ];
}

function instanceText({ fencedBy, stopSent, intent: { oldInstanceId } }: AbandonFacts): string {
  if (fencedBy === 'stopped') return `${oldInstanceId} is stopped, by us; start it and it serves again`;
  if (fencedBy === 'terminated') return `${oldInstanceId} is terminated`;
  if (fencedBy === 'lease')
    return `${oldInstanceId} was not seen stopped, and the stop may still take effect; its serve lease has run out`;
  if (stopSent) return `${oldInstanceId} was asked to stop and not seen stopped: the stop may still take effect`;
  return `${oldInstanceId} was not touched`;
}

/**
 * Image and snapshots are collected when their time has come. The old instance is not retired,
 * because the activation still names it.
 */
export function abandonedHistoryOf(facts: AbandonFacts): Unwritten<HistoryRecord> {
  const { intent, endedAtWallMs, act } = facts;
  const terms = new Set([intent.term, facts.term, ...facts.records.map((record) => record.term)]);
  const afterWallMs = endedAtWallMs + intent.plan.policy.recover.retainCaptureForMs;
  return {
    opId: intent.opId,
    member: intent.member,
    outcome: 'abandoned',
    reason: `${intent.reason}; abandoned by ${act.by}: ${act.why}`,
    oldInstanceId: intent.oldInstanceId,
    ordinal: intent.ordinal,
    oldAz: intent.oldAz,
    oldLaunchedAtWallMs: intent.plan.oldLaunchedAtWallMs,
    newInstanceId: null,
    newIncarnation: null,
    startedAtWallMs: intent.startedAtWallMs,
    endedAtWallMs,
    lastHeardWallMs: intent.lastHeardWallMs,
    leaderChanges: terms.size - 1,
    fencedBy: facts.fencedBy,
    launchAttempts: facts.launchAttempts,
    steps: stepsOf(facts),
    leftovers: facts.artefacts.map(({ kind, id }) => ({ kind, id, afterWallMs, obstacle: null })),
    owed: [],
    ...(facts.lateCalls.length > 0 && { lateCalls: facts.lateCalls }),
    acts: [...(intent.acts ?? []), act],
    leftAs: leftAs(facts),
  };
}
