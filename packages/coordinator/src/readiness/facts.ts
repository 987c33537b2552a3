import type { Blocker, GroupPolicy, HoldRecord, MemberId, PlanSummary, ReadinessFact } from '@understudy/shared';
import type { GuardAnswer } from '../judge/guard-input.ts';

/** What is known of one member at this moment, each with when it was looked at. */
export interface MemberFacts {
  readonly member: MemberId;
  readonly instanceId: string;
  readonly az: string;
  readonly policy: GroupPolicy;
  /** Its plan as it was looked at last, of this very instance. Null: not yet. */
  readonly plan: PlanSummary | null;
  /** A plan that was looked at longer ago than this is no longer gone by, ms. */
  readonly planFreshForMs: number;
  /** False: by configuration EC2 is not asked what it would allow. */
  readonly asksPermissions: boolean;
  /** What the guard would say if this member, and no other, failed now. Null: it is not judged. */
  readonly guard: GuardAnswer | null;
  /** As the leader judges it. Null: not yet. */
  readonly judged: { readonly verdict: string; readonly reasonCode: string; readonly reason: string } | null;
  readonly hold: Pick<HoldRecord, 'reason' | 'text' | 'sinceWallMs'> | null;
  /** It is being recovered. */
  readonly isRecovering: boolean;
  readonly nowWallMs: number;
}

/** What one source says of a member. */
export interface Told {
  readonly fact: ReadinessFact;
  readonly blockers: readonly Blocker[];
}

/**
 * One thing that readiness rests on: a file in `sources/`, and a line in `sources.ts`. Pure. What
 * it does not know it says so; it never guesses.
 */
export interface ReadinessSource {
  readonly name: string;
  /** Null: it has nothing to do with this member. */
  look(about: MemberFacts): Told | null;
}

export const known = (fact: string, lookedAtWallMs: number, text: string): ReadinessFact => ({
  ...{ fact, state: 'known', lookedAtWallMs, text },
});

export const unknown = (fact: string, text: string): ReadinessFact => ({
  ...{ fact, state: 'unknown', lookedAtWallMs: null, text },
});
