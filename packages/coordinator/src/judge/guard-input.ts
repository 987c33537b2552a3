import type { GroupPolicy, HoldReason, MemberId, WallMs } from '@understudy/shared';
import type { Ec2Recovers } from './ec2-recovers.ts';
import type { ActivePause } from '../policy/pauses.ts';

/** Cluster-wide limits, from the coordinator's config (`guard:`). */
export interface GuardLimits {
  readonly massMinimum: number;
  readonly massRatio: number;
  readonly zoneMinimum: number;
  readonly zoneRatio: number;
  readonly massWindowMs: number;
  readonly budgetPerMinute: number;
  readonly budgetBurst: number;
}

/**
 * max(minimum, ratio). The minimum keeps small fleets recoverable (two of four are no mass); the
 * ratio scales with large ones.
 */
export const threshold = (minimum: number, ratio: number, total: number): number =>
  Math.max(minimum, Math.ceil(ratio * total));

/** A zone is lost when this many of its members fail. */
export const zoneThreshold = (limits: Pick<GuardLimits, 'zoneMinimum' | 'zoneRatio'>, total: number): number =>
  threshold(limits.zoneMinimum, limits.zoneRatio, total);

/** A member of the whole fleet, as assessed now. Leave out those that `left`. */
export interface FleetMember {
  readonly member: MemberId;
  readonly az: string;
  /**
   * When it failed, and has been failed since; `null` while it is fine. It fails when it becomes
   * suspect (or dead, or unknown after having been suspect). Where the policy acts on failing
   * checks or unreachable services, it also fails when those begin. A wrong check, or a firewall,
   * fails everywhere at once, so these must be able to make a mass.
   */
  readonly failedSinceWallMs: number | null;
  /** True when an observer hears it. Then what failed is not its zone. */
  readonly heard: boolean;
}

/**
 * A recovery that was begun: an open intent or a history record. It is read from etcd, so that a
 * new leader counts what its predecessor began.
 */
export interface StartedRecovery {
  readonly member: MemberId;
  readonly group: string;
  /** AZ of the instance that failed. Null when it is not known. */
  readonly az: string | null;
  readonly startedAtWallMs: number;
  /** `null` while its intent is open. */
  readonly endedAtWallMs: number | null;
  /** It ended, and the failure did not: the next way is taken for it. Absent: it is over. */
  readonly failureGoesOn?: boolean;
  /** It went on with a failure that an earlier one had begun on. Absent: it did not. */
  readonly goesOn?: boolean;
  /** A person has looked at it: it keeps nobody waiting. Absent: nobody has. */
  readonly acknowledged?: boolean;
}

export const OBJECTION_REASONS = [
  'RecordUnreadable',
  'TwoInstancesClaimMember',
  'ClaimAgainstActivation',
  'NotReady',
] as const satisfies readonly HoldReason[];

/** A reason to leave a member alone, found while looking at records and tags. */
export interface Objection {
  readonly reason: (typeof OBJECTION_REASONS)[number];
  readonly text: string;
}

/** Gates that a person has asked, by name, not to stop one recovery. */
export interface Overrides {
  readonly gates: readonly HoldReason[];
  readonly by: string;
  readonly why: string;
}

export interface GuardInput {
  readonly member: MemberId;
  readonly group: string;
  readonly az: string;
  readonly wallNowMs: WallMs;
  readonly policy: GroupPolicy;
  readonly limits: GuardLimits;
  readonly pauses: readonly ActivePause[];
  /** Enrolment's objections: conflicting claims, unreadable records, not ready. */
  readonly objections: readonly Objection[];
  /**
   * Why this coordinator must not trust itself now: its observer abstains, or its view of etcd is
   * not fresh. `null`: it may.
   */
  readonly ownTrouble: string | null;
  /**
   * `Assessment.quorum`, or `null` when the failure was not judged from silence (degraded for too
   * long).
   */
  readonly quorum: { readonly met: boolean; readonly text: string; readonly limit: string } | null;
  readonly protectedByTag: boolean;
  readonly launchedAtWallMs: number | null;
  readonly fleet: readonly FleetMember[];
  /**
   * Recoveries of every member that began or ended within the longest window that matters (24 h by
   * default).
   */
  readonly recoveries: readonly StartedRecovery[];
  /** It would go on with a failure that an earlier recovery has begun on. Absent: it would not. */
  readonly goesOn?: boolean;
  /** EC2 is bringing it back by itself. Null: it is not. Absent: the group does not wait for it. */
  readonly ec2Recovers?: Ec2Recovers | null;
  /** What a person has said about these gates. Absent: nothing. */
  readonly overrides?: Overrides | null;
}

export interface GateResult {
  readonly gate: HoldReason;
  readonly passes: boolean;
  /** The state found, in words for people; e.g. `4 of 6 members failed`. */
  readonly value: string;
  /** The state wanted, in the same words; e.g. `below 3`. */
  readonly limit: string;
  /** One sentence with both: the text of a hold. */
  readonly text: string;
  readonly untilWallMs: WallMs | null;
}

export type GuardAnswer =
  | {
      readonly kind: 'go';
      readonly gates: readonly GateResult[];
      /**
       * The zone that is lost: the replacement must not be placed there. `null`: none is, or the
       * policy does not act on it.
       */
      readonly leaveAz: string | null;
    }
  | {
      readonly kind: 'hold';
      readonly reason: HoldReason;
      readonly text: string;
      readonly untilWallMs: WallMs | null;
      readonly gates: readonly GateResult[];
    };

/** `untilWallMs` may be given only where the gate refuses. */
export const gate = (
  name: HoldReason,
  passes: boolean,
  said: { readonly value: string; readonly limit: string; readonly text?: string },
  untilWallMs: WallMs | null = null,
): GateResult => ({
  gate: name,
  passes,
  value: said.value,
  limit: said.limit,
  text: said.text ?? said.value,
  untilWallMs: passes ? null : untilWallMs,
});
