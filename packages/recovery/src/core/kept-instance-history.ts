import type { HistoryRecord, IntentRecord, JournalRecord, Leftover, Unwritten } from '@understudy/shared';
import { stepsOf } from './history.ts';
import { isPaidAsInstance } from './paid-leftover.ts';
import { lateStartOf } from './undo/late-start.ts';

/** What is known when a recovery ends and the activation still names the instance it began with. */
export interface KeptInstanceFacts {
  readonly intent: IntentRecord;
  readonly records: readonly JournalRecord[];
  readonly term: number;
  readonly endedAtWallMs: number;
  readonly fencedBy: HistoryRecord['fencedBy'];
  readonly launchAttempts: number;
  /** What it has made and nobody needs any more, in the order in which it is written down. */
  readonly artefacts: readonly Pick<Leftover, 'kind' | 'id'>[];
}

type KeptInstanceFields = Omit<Unwritten<HistoryRecord>, 'opId' | 'member' | 'outcome' | 'reason'>;

/** The fields that every such history has. Nothing is retired, and nothing is owed. */
export function keptInstanceFields(facts: KeptInstanceFacts): KeptInstanceFields {
  const { intent, endedAtWallMs } = facts;
  const terms = new Set([intent.term, facts.term, ...facts.records.map((record) => record.term)]);
  const afterWallMs = endedAtWallMs + intent.plan.policy.recover.retainCaptureForMs;
  return {
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
    leftovers: facts.artefacts.map(({ kind, id }) => ({
      ...{ kind, id, obstacle: null },
      afterWallMs: isPaidAsInstance(kind) ? endedAtWallMs : afterWallMs,
    })),
    ...(intent.prepared && { prepared: intent.prepared }),
    owed: [],
    ...lateStartOf(intent, facts.records, endedAtWallMs),
  };
}
