import type { HistoryRecord, IntentRecord, JournalRecord, Leftover, OperatorAct, Unwritten } from '@understudy/shared';
import { stepsOf, whatHappened } from './history.ts';

/** What is known when a recovery is closed and its instance stays the activated one. */
export interface InPlaceFacts {
  readonly intent: IntentRecord;
  readonly records: readonly JournalRecord[];
  readonly term: number;
  readonly endedAtWallMs: number;
  readonly outcome: 'mended' | 'not-mended';
  /** How it ended, in words. */
  readonly why: string;
  readonly fencedBy: HistoryRecord['fencedBy'];
  readonly launchAttempts: number;
  /** What it has made and nobody needs any more, in the order in which it is written down. */
  readonly artefacts: readonly Pick<Leftover, 'kind' | 'id'>[];
  /** What the member lost on the way. */
  readonly losses: readonly { readonly code: string; readonly text: string }[];
  /** The state in which everything was left, in words. */
  readonly leftAs: readonly string[];
  /** Calls about the instance that may still land. */
  readonly lateCalls: Readonly<NonNullable<HistoryRecord['lateCalls']>>;
  /** When EC2 started the instance last, as far as it saw. Absent: it did not look again. */
  readonly lastLaunchedAtWallMs?: number | null;
  readonly acts?: readonly OperatorAct[];
}

/** Nothing is retired: the activation still names the instance. */
export function inPlaceHistoryOf(facts: InPlaceFacts): Unwritten<HistoryRecord> {
  const { intent, endedAtWallMs, outcome } = facts;
  const terms = new Set([intent.term, facts.term, ...facts.records.map((record) => record.term)]);
  const afterWallMs = endedAtWallMs + intent.plan.policy.recover.retainCaptureForMs;
  const happened = whatHappened(facts);
  const losses = [...facts.losses, ...(happened.losses ?? [])];
  return {
    opId: intent.opId,
    member: intent.member,
    outcome,
    strategy: intent.plan.strategy,
    reason: `${intent.reason}; ${facts.why}`,
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
    ...happened,
    ...(losses.length > 0 && { losses }),
    ...(facts.lateCalls.length > 0 && { lateCalls: [...facts.lateCalls] }),
    ...(typeof facts.lastLaunchedAtWallMs === 'number' && { lastLaunchedAtWallMs: facts.lastLaunchedAtWallMs }),
    ...(intent.plan.ladder && { ladder: intent.plan.ladder }),
    ...(facts.leftAs.length > 0 && { leftAs: [...facts.leftAs] }),
  };
}
