import * as z from 'zod';
import { GroupPolicySchema } from '../policy.ts';
import { MemberIdSchema, recordBase } from './record.ts';

/** `leader`: lease-bound; its create-revision is the term. */
export const LeaderRecordSchema = z.strictObject({
  ...recordBase,
  coordinatorId: z.string(),
  az: z.string(),
  httpUrl: z.string(),
});
export type LeaderRecord = z.infer<typeof LeaderRecordSchema>;

/** `coordinators/<id>`: lease-bound presence. */
export const CoordinatorRecordSchema = z.strictObject({
  ...recordBase,
  coordinatorId: z.string(),
  az: z.string(),
  udpEndpoint: z.string(),
  httpUrl: z.string(),
  startedAtWallMs: z.number(),
  version: z.string(),
  /** How long its answers about activations hold at most, ms; null: of a version that asks for no serve promises. */
  answersHoldMs: z.number().nullable().default(null),
});
export type CoordinatorRecord = z.infer<typeof CoordinatorRecordSchema>;

export const OpinionVerdictSchema = z.enum(['alive', 'suspect', 'dead', 'unknown', 'left']);
export type OpinionVerdict = z.infer<typeof OpinionVerdictSchema>;

/** What an observer thinks of a member's services; see `docs/service-probes.md`. Codes and names only: bounded. */
export const ServiceOpinionSchema = z.strictObject({
  state: z.enum(['passing', 'failing']),
  /** The probe that fails first in the policy's order; empty while all pass. */
  probe: z.string().max(32),
  /** Why it began to fail: `Refused`, `Timeout`, `HttpStatus 503` … `Passing` while all pass. */
  reason: z.string().max(64),
  sinceWallMs: z.number(),
  /** This observer has seen that probe pass on this instance: what never passed may be a wrong port, and is no failure. */
  passedBefore: z.boolean(),
  /** `CertificateExpiresSoon`, or null. */
  warning: z.string().max(64).nullable(),
});

/** `opinions/<group>/<member>/<observer>`: lease-bound, written on change only. Absent = the observer abstains. */
export const OpinionRecordSchema = z.strictObject({
  ...recordBase,
  member: MemberIdSchema,
  instanceId: z.string(),
  observer: z.string(),
  observerAz: z.string(),
  verdict: OpinionVerdictSchema,
  /** Machine-readable: `Heard`, `Silent`, `ProbesFailed`, `WarmingUp`, `OwnStall`, `HearsTooFew`, `NeverHeard`, `KeyRetired`, `Goodbye` … */
  reason: z.string(),
  sinceWallMs: z.number(),
  lastHeardWallMs: z.number().nullable(),
  /** Absent: none (nothing to probe, abstains, not known yet, or written before there were probes). */
  service: ServiceOpinionSchema.optional(),
});
export type OpinionRecord = z.infer<typeof OpinionRecordSchema>;

/**
 * `judgements/<group>/<member>`: what the leader judges of the activated instance, written on change only. For people and followers; nobody decides by it.
 * It stands while its term, or the term of {@link JudgeRecordSchema}, is the present one; else it is the last word of a leader that is gone.
 */
export const JudgementRecordSchema = z.strictObject({
  ...recordBase,
  member: MemberIdSchema,
  instanceId: z.string(),
  /** The term that wrote it. */
  term: z.number(),
  verdict: OpinionVerdictSchema,
  reasonCode: z.string(),
  /** One sentence, as it was when this was written. */
  reason: z.string(),
  degraded: z.boolean(),
  /** Since when the verdict is this one. */
  sinceWallMs: z.number(),
});
export type JudgementRecord = z.infer<typeof JudgementRecordSchema>;

/** `judge/current`: whose judgements stand. Written once a term, when the new leader has judged every member and has written where it differs from its predecessor. */
export const JudgeRecordSchema = z.strictObject({ ...recordBase, coordinatorId: z.string(), term: z.number() });
export type JudgeRecord = z.infer<typeof JudgeRecordSchema>;

/** `groups/<group>`: what the operator asked for. */
export const GroupRecordSchema = z.strictObject({ ...recordBase, group: z.string(), policy: GroupPolicySchema });
export type GroupRecord = z.infer<typeof GroupRecordSchema>;

/**
 * In force for a member: coordinators say `active` only to an agent whose heartbeat promises as much. Written once its agent was heard to; see
 * `docs/serve-lease.md`.
 */
export const ServeContractSchema = z.strictObject({
  /** A contract that was taken back and made again is another one, with another id. Rewriting the record for other reasons keeps it. */
  id: z.string().min(1),
  stopWithinMs: z.number(),
  requireWatchdog: z.boolean(),
  /** No `active` is taken for good longer than this after the moment it was true in etcd, ms. */
  answersHoldMs: z.number(),
});
export type ServeContract = z.infer<typeof ServeContractSchema>;

/** `members/<group>/<member>`: enrolment and readiness. Which instance serves is the activation's business, not this record's. */
export const MemberRecordSchema = z.strictObject({
  ...recordBase,
  member: MemberIdSchema,
  group: z.string(),
  name: z.string(),
  enrolledAtWallMs: z.number(),
  instanceId: z.string(),
  az: z.string(),
  instanceType: z.string(),
  privateIp: z.string().nullable(),
  /** What would stop a recovery if it were needed now. Empty = ready. */
  readinessProblems: z.array(z.strictObject({ code: z.string(), text: z.string() })),
  /** null: no serve lease is asked of this member. */
  serveContract: ServeContractSchema.nullable().default(null),
});
export type MemberRecord = z.infer<typeof MemberRecordSchema>;

/** `activations/<group>/<member>`: the one instance allowed to serve. */
export const ActivationRecordSchema = z.strictObject({
  ...recordBase,
  member: MemberIdSchema,
  incarnation: z.number().int().min(1),
  instanceId: z.string(),
  /** The recovery that activated it; null for the instance found at enrolment. */
  opId: z.string().nullable(),
  /**
   * How many recoveries of this instance have ended without replacing it: the next one is identified by it. Raised by the transaction that ends one so.
   * Absent: 0.
   */
  ordinal: z.number().int().min(0).optional(),
});
export type ActivationRecord = z.infer<typeof ActivationRecordSchema>;

/** Why nothing is done although something looks wrong. */
export const HoldReasonSchema = z.enum([
  'Paused',
  'MassFailure',
  'ZoneFailure',
  'BudgetExhausted',
  'GroupConcurrency',
  'Cooldown',
  'Flapping',
  'BootGrace',
  'Protected',
  'MaintenanceWindow',
  'ObserverUnwell',
  'NotEnoughObservers',
  'NeverHeard',
  'ProbeAnswered',
  'KeyRetired',
  'TwoInstancesClaimMember',
  'ClaimAgainstActivation',
  'RecordUnreadable',
  'NotReady',
  'FenceNotProven',
  'CaptureFailed',
  'CaptureTimeout',
  'NoPlacementLeft',
  'LaunchAttemptsExhausted',
  'AddressHeldElsewhere',
  'Abandoned',
  'StoppedByOwnFence',
  'CloudDenied',
  'CloudRejected',
  'CloudUnavailable',
]);
export type HoldReason = z.infer<typeof HoldReasonSchema>;

/** `holds/<group>/<member>`: a decided refusal to act, for an operator to see. */
export const HoldRecordSchema = z.strictObject({
  ...recordBase,
  member: MemberIdSchema,
  reason: HoldReasonSchema,
  text: z.string(),
  sinceWallMs: z.number(),
  untilWallMs: z.number().nullable(),
  /** The recovery that is held, or null when none was started. */
  opId: z.string().nullable(),
});
export type HoldRecord = z.infer<typeof HoldRecordSchema>;

/** `pauses/global`, `pauses/group/<group>`, `pauses/member/<group>/<member>`. */
export const PauseRecordSchema = z.strictObject({
  ...recordBase,
  scope: z.string(),
  who: z.string(),
  why: z.string(),
  sinceWallMs: z.number(),
  untilWallMs: z.number().nullable(),
});
export type PauseRecord = z.infer<typeof PauseRecordSchema>;
