import type { HistoryRecord, OperatorAct, Unwritten } from '@understudy/shared';
import { whatHappened } from './history.ts';
import { type KeptInstanceFacts, keptInstanceFields } from './kept-instance-history.ts';
import { owedHooks } from './owed-hooks.ts';

/** What is known when a recovery is closed and its instance stays the activated one. */
export interface InPlaceFacts extends KeptInstanceFacts {
  readonly outcome: 'mended' | 'not-mended';
  /** How it ended, in words. */
  readonly why: string;
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
  const { intent, outcome } = facts;
  const happened = whatHappened(facts);
  const losses = [...facts.losses, ...(happened.losses ?? [])];
  return {
    opId: intent.opId,
    member: intent.member,
    outcome,
    strategy: intent.plan.strategy,
    reason: `${intent.reason}; ${facts.why}`,
    ...keptInstanceFields(facts),
    ...happened,
    ...(losses.length > 0 && { losses }),
    ...(facts.lateCalls.length > 0 && { lateCalls: [...facts.lateCalls] }),
    ...(typeof facts.lastLaunchedAtWallMs === 'number' && { lastLaunchedAtWallMs: facts.lastLaunchedAtWallMs }),
    ...(intent.plan.ladder && { ladder: intent.plan.ladder }),
    ...(facts.leftAs.length > 0 && { leftAs: [...facts.leftAs] }),
    ...(outcome === 'not-mended' && owedHooks(intent, facts.records)),
  };
}
