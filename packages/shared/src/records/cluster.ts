import * as z from 'zod';
import { GroupPolicySchema } from '../policy.ts';
import { ProblemSchema } from '../problem.ts';
import { MemberIdSchema, namesOnly, ofMember, placed, recordBase } from './record.ts';

/** `leader`: lease-bound. Its create-revision is the term. */
export const LeaderRecordSchema = z.strictObject({
  ...recordBase,
  coordinatorId: z.string(),
  az: z.string(),
  httpUrl: z.string(),
});
export type LeaderRecord = z.infer<typeof LeaderRecordSchema>;

/** `coordinators/<id>`: lease-bound presence. */
export const CoordinatorRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    coordinatorId: z.string(),
    az: z.string(),
    udpEndpoint: z.string(),
    httpUrl: z.string(),
    startedAtWallMs: z.number(),
    version: z.string(),
    /**
     * Random id of one run of the process. It tells the process from another one with its
     * coordinator id.
     */
    processId: z.string().min(1),
    /** How long its answers about activations hold at most, ms. */
    answersHoldMs: z.number(),
    /** The highest feature level its build understands. */
    featureLevel: z.number().int().min(1),
  }),
  { area: 'coordinators', parts: [1], says: ([coordinatorId = '']) => ({ coordinatorId }) },
);
export type CoordinatorRecord = z.infer<typeof CoordinatorRecordSchema>;

export const OpinionVerdictSchema = z.enum(['alive', 'suspect', 'dead', 'unknown', 'left']);
export type OpinionVerdict = z.infer<typeof OpinionVerdictSchema>;

/**
 * What an observer thinks of a member's services (`docs/service-probes.md`). It has codes and names
 * only, so its size is bounded.
 */
export const ServiceOpinionSchema = z.strictObject({
  state: z.enum(['passing', 'failing']),
  /** The probe that fails first in the policy's order. Empty while all pass. */
  probe: z.string().max(32),
  /** Why it began to fail: `Refused`, `Timeout`, `HttpStatus 503` … `Passing` while all pass. */
  reason: z.string().max(64),
  sinceWallMs: z.number(),
  /**
   * True when this observer has seen that probe pass on this instance. A probe that never passed
   * may have a wrong port, and is no failure.
   */
  passedBefore: z.boolean(),
  /** `CertificateExpiresSoon`, or null. */
  warning: z.string().max(64).nullable(),
});

/**
 * `opinions/<group>/<member>/<observer>`: lease-bound, written on change only. Absent = the
 * observer abstains.
 */
export const OpinionRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    member: MemberIdSchema,
    instanceId: z.string(),
    observer: z.string(),
    observerAz: z.string(),
    verdict: OpinionVerdictSchema,
    /**
     * Machine-readable: `Heard`, `Silent`, `ProbesFailed`, `WarmingUp`, `OwnStall`, `HearsTooFew`,
     * `NeverHeard`, `KeyRetired`, `Goodbye` …
     */
    reason: z.string(),
    sinceWallMs: z.number(),
    lastHeardWallMs: z.number().nullable(),
    /** Absent: none (nothing to probe, abstains, or not known yet). */
    service: ServiceOpinionSchema.optional(),
  }),
  { area: 'opinions', parts: [3], says: (parts) => ({ ...ofMember(parts), observer: parts[2] ?? '' }) },
);
export type OpinionRecord = z.infer<typeof OpinionRecordSchema>;

/**
 * `judgements/<group>/<member>`: what the leader judges of the activated instance, written on
 * change only. It is for people and followers; nobody decides by it. It stands while its term, or
 * the term of {@link JudgeRecordSchema}, is the present one. Otherwise it is the last word of a
 * leader that is gone.
 */
export const JudgementRecordSchema = placed(
  z.strictObject({
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
  }),
  { area: 'judgements', parts: [2], says: ofMember },
);
export type JudgementRecord = z.infer<typeof JudgementRecordSchema>;

/**
 * `judge/current`: whose judgements stand. It is written once a term, when the new leader has
 * judged every member and has written where it differs from its predecessor.
 */
export const JudgeRecordSchema = placed(
  z.strictObject({ ...recordBase, coordinatorId: z.string(), term: z.number() }),
  {
    area: 'judge',
    parts: [1],
    says: () => ({}),
    fault: ([name = '']) => (name === 'current' ? null : `"${name}" is no key of ours: there is one judge, "current"`),
  },
);
export type JudgeRecord = z.infer<typeof JudgeRecordSchema>;

/** An instance whose tags name us and that is no member. */
export const NotEnrolledSchema = ProblemSchema.extend({
  /** Empty where several instances are meant. The text names them. */
  instanceId: z.string(),
});
export type NotEnrolled = z.infer<typeof NotEnrolledSchema>;

/**
 * `findings/current`: what the leader alone finds, so that every coordinator can show it. It is
 * written on change, at most every 10 s. It stands while its term is the present one.
 */
export const FindingsRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    coordinatorId: z.string(),
    term: z.number(),
    problems: z.array(ProblemSchema),
    notEnrolled: z.array(NotEnrolledSchema),
  }),
  {
    area: 'findings',
    parts: [1],
    says: () => ({}),
    fault: ([name = '']) => (name === 'current' ? null : `"${name}" is no key of ours: findings are "current"`),
  },
);
export type FindingsRecord = z.infer<typeof FindingsRecordSchema>;

/** `groups/<group>`: what the operator asked for. */
export const GroupRecordSchema = placed(
  z.strictObject({ ...recordBase, group: z.string(), policy: GroupPolicySchema }),
  { area: 'groups', parts: [1], says: ([group = '']) => ({ group }), fault: namesOnly, byHand: true },
);
export type GroupRecord = z.infer<typeof GroupRecordSchema>;

/**
 * `policies/<group>`: the policy in force of a group that has a record of its own: the last that
 * was valid. The leader writes it. A refused record under `groups/` changes nothing here, so it
 * outlives restarts and changes of leader.
 */
export const PolicyRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    group: z.string(),
    policy: GroupPolicySchema,
    /**
     * mod_revision of the record under `groups/` it was taken from. 0: that was removed, and this
     * is the default.
     */
    groupRevision: z.number().int().min(0),
  }),
  { area: 'policies', parts: [1], says: ([group = '']) => ({ group }), fault: namesOnly },
);
export type PolicyRecord = z.infer<typeof PolicyRecordSchema>;

/**
 * A contract in force for a member: coordinators say `active` only to an agent whose heartbeat
 * promises as much. It is written once the agent was heard to promise it (`docs/serve-lease.md`).
 */
export const ServeContractSchema = z.strictObject({
  /**
   * A contract that was taken back and made again is another one, with another id. Rewriting the
   * record for other reasons keeps the id.
   */
  id: z.string().min(1),
  stopWithinMs: z.number(),
  requireWatchdog: z.boolean(),
  /** No `active` is believed for longer than this after the moment it was true in etcd, ms. */
  answersHoldMs: z.number(),
});
export type ServeContract = z.infer<typeof ServeContractSchema>;

/**
 * `members/<group>/<member>`: enrolment and readiness. The activation says which instance serves,
 * not this record.
 */
export const MemberRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    member: MemberIdSchema,
    group: z.string(),
    name: z.string(),
    enrolledAtWallMs: z.number(),
    instanceId: z.string(),
    az: z.string(),
    instanceType: z.string(),
    privateIp: z.string().nullable(),
    /** Its further addresses, private and public, of all its interfaces. */
    otherAddresses: z.array(z.string()),
    /** What would stop a recovery if it were needed now. Empty = ready. */
    readinessProblems: z.array(z.strictObject({ code: z.string(), text: z.string() })),
    /** Null: no serve lease is asked of this member. */
    serveContract: ServeContractSchema.nullable(),
  }),
  {
    area: 'members',
    parts: [2],
    says: (parts) => ({ ...ofMember(parts), group: parts[0] ?? '', name: parts[1] ?? '' }),
  },
);
export type MemberRecord = z.infer<typeof MemberRecordSchema>;

/** `activations/<group>/<member>`: the one instance allowed to serve. */
export const ActivationRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    member: MemberIdSchema,
    incarnation: z.number().int().min(1),
    instanceId: z.string(),
    /** The recovery that activated it. Null for the instance found at enrolment. */
    opId: z.string().nullable(),
    /**
     * How many recoveries of this instance have ended without replacing it. The next one is
     * identified by it. The transaction that ends such a recovery raises it.
     */
    ordinal: z.number().int().min(0),
    /**
     * The image that the machines of the member began with: a seed can be launched from it when
     * that of the present one was made by a recovery. Absent: not known, or it has had no recovery.
     */
    firstImageId: z.string().optional(),
  }),
  { area: 'activations', parts: [2], says: ofMember },
);
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
  'RecoveringByEc2',
  'Protected',
  'MaintenanceWindow',
  'ObserverUnwell',
  'NotEnoughObservers',
  'NeverHeard',
  'ProbeAnswered',
  'KeyRetired',
  'TwoAgents',
  'TwoInstancesClaimMember',
  'ClaimAgainstActivation',
  'RecordUnreadable',
  'NotReady',
  'FenceNotProven',
  'CaptureFailed',
  'CaptureTimeout',
  'VolumeNotFree',
  'KmsKeyUnusable',
  'NoPlacementLeft',
  'NoCapacity',
  'LaunchAttemptsExhausted',
  'AddressHeldElsewhere',
  'HookRefused',
  'RecordChanged',
  'TargetNotHealthy',
  'Abandoned',
  'StoppedByOwnFence',
  'CloudDenied',
  'CloudRejected',
  'CloudUnavailable',
]);
export type HoldReason = z.infer<typeof HoldReasonSchema>;

/** `holds/<group>/<member>`: a decided refusal to act, for an operator to see. */
export const HoldRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    member: MemberIdSchema,
    reason: HoldReasonSchema,
    text: z.string(),
    sinceWallMs: z.number(),
    untilWallMs: z.number().nullable(),
    /** The recovery that is held, or null when none was started. */
    opId: z.string().nullable(),
  }),
  { area: 'holds', parts: [2], says: ofMember },
);
export type HoldRecord = z.infer<typeof HoldRecordSchema>;

const PAUSE_SCOPES = 'global, group/<group> or member/<group>/<member>';
const PAUSE_PARTS: Readonly<Record<string, number>> = { global: 0, group: 1, member: 2 };

/**
 * Why a pause's key is wrong. It has to name a group or a member by a valid name, or everything.
 * Null: it does.
 */
function pauseScopeFault([kind = '', ...names]: readonly string[]): string | null {
  const want = PAUSE_PARTS[kind];
  if (want === undefined || names.length !== want)
    return `"${[kind, ...names].join('/')}" is no scope: ${PAUSE_SCOPES}`;
  return namesOnly(names);
}

/** `pauses/global`, `pauses/group/<group>`, `pauses/member/<group>/<member>`. */
export const PauseRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    scope: z.string(),
    who: z.string(),
    why: z.string(),
    sinceWallMs: z.number(),
    untilWallMs: z.number().nullable(),
  }),
  {
    area: 'pauses',
    parts: [1, 2, 3],
    says: (parts) => ({ scope: parts.join('/') }),
    fault: pauseScopeFault,
    byHand: true,
  },
);
export type PauseRecord = z.infer<typeof PauseRecordSchema>;
