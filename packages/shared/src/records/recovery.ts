import * as z from 'zod';
import { IN_PLACE_STRATEGIES, staysInPlace } from '../in-place-strategies.ts';
import { GroupPolicySchema } from '../policy.ts';
import { PREPARED_KINDS } from '../prepared-kinds.ts';
import { ServeContractSchema } from './cluster.ts';
import { OperatorActSchema, operatorFields } from './operator-request.ts';
import { FailureHookSchema } from './failure-hook.ts';
import { AddressTargetSchema, MovedItemSchema, PlannedAssignedSchema, PlannedInterfaceSchema } from './identity.ts';
import { PlannedRecordSetSchema, PlannedTargetsSchema } from './names.ts';
import { LeftoverSchema, OwedChoreSchema } from './leftover.ts';
import { MemberIdSchema, ofMember, placed, recordBase } from './record.ts';
import { DeedSchema } from './deed.ts';
import { LateStartSchema } from './late-start.ts';
import { followingAddress, PlacementCandidateSchema } from './placement-candidate.ts';
import { PlannedVolumeSchema } from './planned-volume.ts';

const tags = z.record(z.string(), z.string());

export const PlannedAddressSchema = z.strictObject({
  allocationId: z.string(),
  publicIp: z.string(),
  /**
   * Association on the failed instance when the plan was made. It is the only one we may remove.
   */
  associationId: z.string().nullable(),
  /**
   * Earlier retired instances of this member whose association may be removed too, because an
   * earlier recovery owed the move.
   */
  owedFrom: z.array(z.string()).optional(),
  /** Where it goes. Absent: to the primary address of the replacement. */
  target: AddressTargetSchema.optional(),
});
export type PlannedAddress = z.infer<typeof PlannedAddressSchema>;

/** One way of bringing a member back, and why it was taken or left out. */
export const RungSchema = z.strictObject({
  rung: z.string(),
  said: z.enum(['taken', 'skipped', 'tried', 'later']),
  why: z.string(),
});
export type Rung = z.infer<typeof RungSchema>;

/** Fields of every plan, whatever its strategy: about the failed instance, and about its policy. */
const planBase = {
  policy: GroupPolicySchema,
  volumes: z.array(PlannedVolumeSchema).min(1),
  addresses: z.array(PlannedAddressSchema),
  /** Addresses and prefixes that are assigned to the primary interface, and move. Absent: none. */
  assigned: z.array(PlannedAssignedSchema).optional(),
  /** Further network interfaces that move whole. Absent: none. */
  interfaces: z.array(PlannedInterfaceSchema).optional(),
  /** Record sets that name the failed instance, and follow. Absent: none. */
  records: z.array(PlannedRecordSetSchema).optional(),
  /** Target groups in which it is registered. Absent: none. */
  targets: z.array(PlannedTargetsSchema).optional(),
  /**
   * Primary interface of the failed instance, from which EC2 does not detach it. Null: EC2 showed
   * none.
   */
  primaryInterfaceId: z.string().nullable(),
  protection: z.strictObject({ stop: z.boolean(), termination: z.boolean() }),
  /**
   * When EC2 says the failed instance was started last. By EC2's own clock, a later time means that
   * it has been started since. Null: EC2 did not say.
   */
  oldLaunchedAtWallMs: z.number().nullable(),
  /** What the member will not have afterwards, in words, each with a code. */
  losses: z.array(z.strictObject({ code: z.string(), text: z.string() })),
  /** Why this way was chosen: what became of each rung. Absent: there was nothing to choose. */
  ladder: z.array(RungSchema).optional(),
  /**
   * An earlier recovery has asked EC2 to start this instance and does not know whether it did: it
   * may still be started by that. Absent: none has.
   */
  startMayLand: z.boolean().optional(),
  /**
   * It did not run as the plan was made: that it is stopped later does not show that a stop of this
   * recovery has worked. Absent: it ran.
   */
  wasDown: z.literal(true).optional(),
};

/**
 * The image of a launch whose disks are put on afterwards: what boots from it is a seed, which is
 * stopped, gets its disks and user data, and is started again as the member.
 */
const seedImage = z.strictObject({
  imageId: z.string(),
  rootDeviceName: z.string(),
  /** Devices that the image would bring beside its root. The seed is launched without them. */
  otherDeviceNames: z.array(z.string()),
  /**
   * The seed of attempt 1 was launched while the member was only suspect: without the member's
   * tags, which it gets with its disks. Absent: it was not.
   */
  inQuarantine: z.literal(true).optional(),
  /**
   * Who names it: what the activation keeps, the policy, or a tag of the instance. Absent: EC2
   * says that the instance was launched from it.
   */
  namedBy: z.enum(['record', 'policy', 'tag']).optional(),
});
export type SeedImage = z.infer<typeof seedImage>;

/** Further fields of a plan whose strategy launches a replacement. */
const launchPart = {
  candidates: z.array(PlacementCandidateSchema).min(1),
  securityGroupIds: z.array(z.string()),
  sourceDestCheck: z.boolean(),
  /** Tags of the failed instance's primary network interface, for the permit. */
  networkInterfaceTags: tags,
  /** Type of the permit, at candidates of the own instance type. Absent: a plain interface. */
  interfaceType: z.string().optional(),
  /** Connection tracking timeouts of the permit, in s, in the SDK's names. Absent: defaults. */
  connectionTracking: z.record(z.string(), z.number()).optional(),
  /** What a launch cannot set, and is put back once the replacement serves. Absent: the default. */
  rebootMigration: z.string().optional(),
  /** DNS records of the resource name, put back in the same way. Absent: none. */
  dnsRecords: z.strictObject({ a: z.boolean(), aaaa: z.boolean() }).optional(),
  instanceTags: tags,
  /**
   * RunInstances members that do not depend on the attempt (SDK names): key name, profile, user
   * data, metadata options …
   */
  launchBase: z.record(z.string(), z.unknown()),
  /** Absent: the disks come with the launch. */
  seed: seedImage.optional(),
  /**
   * The primary private address follows: the failed instance is terminated before a launch, and
   * permits are made with its address. Absent: the replacement has another one.
   */
  primaryAddress: followingAddress.optional(),
  /** The image that the machines of the member began with. Absent: not known. */
  firstImageId: z.string().optional(),
};
/** A plan, of whatever strategy, that launches a replacement. Its other fields are kept. */
const launchPlan = z.object({ strategy: z.string(), ...planBase, ...launchPart });
export type LaunchPlan = z.infer<typeof launchPlan>;
export const LaunchPlanSchema: z.ZodType<LaunchPlan> = launchPlan.loose();

export const SnapshotAndReplacePlanSchema = z.strictObject({
  strategy: z.literal('snapshot-and-replace'),
  ...planBase,
  ...launchPart,
  /** The snapshot of the root volume, from which the image is made. */
  image: z.strictObject({
    rootDeviceName: z.string(),
    architecture: z.string(),
    bootMode: z.string().nullable(),
    enaSupport: z.boolean(),
    tpmSupport: z.string().nullable(),
    sriovNetSupport: z.string().nullable(),
    virtualizationType: z.string().nullable(),
    imdsSupport: z.string().nullable(),
  }),
});
export type SnapshotAndReplacePlan = z.infer<typeof SnapshotAndReplacePlanSchema>;

export const ReattachPlanSchema = z.strictObject({
  strategy: z.literal('reattach'),
  ...planBase,
  ...launchPart,
  seed: seedImage,
});
export type ReattachPlan = z.infer<typeof ReattachPlanSchema>;

export const InPlacePlanSchema = z.strictObject({ strategy: z.literal(IN_PLACE_STRATEGIES), ...planBase });
export type InPlacePlan = z.infer<typeof InPlacePlanSchema>;

/**
 * Puts a recovery back: the instance that it retired serves again, in place of the one that it put
 * in charge.
 */
export const UndoPlanSchema = z.strictObject({
  strategy: z.literal('undo'),
  ...planBase,
  undo: z.strictObject({
    /** The recovery that is put back. */
    opId: z.string(),
    /** The retired instance that serves again, where it is, and its primary interface. */
    instanceId: z.string(),
    networkInterfaceId: z.string(),
    subnetId: z.string(),
    az: z.string(),
    /**
     * Its ordinal in the activation: above those of all its recoveries, so that no later one has
     * the names and tokens of an earlier one.
     */
    ordinal: z.number().int().min(1),
    /** Its disks, all of them with it. */
    volumeIds: z.array(z.string()),
    /** What the books of that recovery said of it and its disks, for when it is not put back. */
    leftovers: z.array(LeftoverSchema),
    /** Since when the other instance may have written what will be missing. */
    servedSinceWallMs: z.number(),
    /** A Stop of it was sent whose outcome is not known. Absent: none was. */
    stopMayLand: z.literal(true).optional(),
  }),
});
export type UndoPlan = z.infer<typeof UndoPlanSchema>;

/** A plan of which only the fields of every plan are known. */
const basePlan = z.object({ strategy: z.string(), ...planBase });
export type BasePlan = z.infer<typeof basePlan>;

/** The described strategies, one member each, told apart by name. */
const describedPlan = z.discriminatedUnion('strategy', [
  SnapshotAndReplacePlanSchema,
  ReattachPlanSchema,
  InPlacePlanSchema,
  UndoPlanSchema,
]);
const DESCRIBED = new Set<string>(describedPlan.options.flatMap((one) => [...one.shape.strategy.values]));

/**
 * A plan by a strategy that is not described here, kept whole, because a newer build may have
 * written it. Its intent can be read, and is held: only a build that has the strategy drives it.
 */
const otherPlan: z.ZodType<BasePlan> = basePlan.loose().extend({
  strategy: z.string().refine((name) => !DESCRIBED.has(name), { error: 'is a strategy described here', abort: true }),
});

/** The plan. It is made once, from what was observed before the intent, and never re-decided. */
export const RecoveryPlanSchema = z.union([describedPlan, otherPlan]);
export type RecoveryPlan = SnapshotAndReplacePlan | ReattachPlan | InPlacePlan | UndoPlan | BasePlan;

export const isInPlace = (plan: RecoveryPlan): plan is InPlacePlan => staysInPlace(plan);

export const isSnapshotAndReplace = (plan: RecoveryPlan): plan is SnapshotAndReplacePlan =>
  plan.strategy === 'snapshot-and-replace';

export const isReattach = (plan: RecoveryPlan): plan is ReattachPlan => plan.strategy === 'reattach';

export const isUndo = (plan: RecoveryPlan): plan is UndoPlan => plan.strategy === 'undo';

const preparedBefore = z.strictObject({ makes: z.array(z.enum(PREPARED_KINDS)), begunAtWallMs: z.number() });

/** What a recovery is begun with, and a preparation of one. */
const begun = {
  /** Pure function of the old instance id and ordinal: `op-` + 16 hex. */
  opId: z.string(),
  member: MemberIdSchema,
  oldInstanceId: z.string(),
  /**
   * Ordinal in the activation it is based on. Tokens and names derive from old instance and
   * ordinal.
   */
  ordinal: z.number().int().min(0),
  /** Zone of the failed instance, because the member record soon names its replacement's. */
  oldAz: z.string(),
  oldIncarnation: z.number().int().min(1),
  /**
   * mod_revision of the activation record the plan is based on. The activation step compares it,
   * so there is only ever one winner.
   */
  activationModRevision: z.number().int().min(1),
  /** The term that wrote it, for people. */
  term: z.number(),
  startedAtWallMs: z.number(),
  /**
   * Wall time of the last heartbeat any observer heard, for the detection figure. Null if
   * unknown.
   */
  lastHeardWallMs: z.number().nullable(),
  reason: z.string(),
  /** The contract in the member's record. Its replacement is asked for the same. */
  serveContract: ServeContractSchema.nullable(),
  /**
   * This long after the writing of this record the old instance has stopped serving by itself, in
   * ms by any clock of ours (drift is included). Null: it made no promise that counts, and only
   * an observed fence does.
   */
  serveLeaseOverAfterMs: z.number().int().min(0).nullable(),
  plan: RecoveryPlanSchema,
};

/**
 * `intents/<group>/<member>`: a recovery that is under way. It is written once, then only read,
 * until it is moved to history. Only an operator's request (`acts`) rewrites it, in one transaction
 * that compares its revision, so that a run that does not know of it fails on its next write.
 */
export const IntentRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    ...begun,
    /** Each replan raises it. Absent: 1, as decided when the recovery began. */
    planRevision: z.number().int().min(1).optional(),
    /**
     * Launch attempts that had been ended when the plan was last made. Their placements say nothing
     * about it. Absent: 0.
     */
    attemptsBeforePlan: z.number().int().min(0).optional(),
    /** Losses that an operator accepted, `address:…` or `volume:…`. */
    acceptedLosses: z.array(z.string()).optional(),
    /** What operators asked for and the outcome, the newest 50. */
    acts: z.array(OperatorActSchema).optional(),
    /** It has taken over what was made while the member was suspect. Absent: nothing was. */
    prepared: preparedBefore.optional(),
  }),
  { area: 'intents', parts: [2], says: ofMember },
);
export type IntentRecord = z.infer<typeof IntentRecordSchema>;

/**
 * `preparations/<opId>`: what is made for a member that is only suspect, under the name of the
 * recovery that would begin now. That recovery takes it over in the transaction of its intent; or
 * `dropped` is written, which raises the ordinal of the activation, so that no recovery has this
 * name any more. It goes once everything is gone. What it calls stands in the journal.
 */
export const PreparationRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    ...begun,
    makes: z.array(z.enum(PREPARED_KINDS)).min(1),
    /** Absent: it may be taken over. */
    dropped: z.strictObject({ why: z.string(), atWallMs: z.number() }).optional(),
  }),
  { area: 'preparations', parts: [1], says: ([opId = '']) => ({ opId }) },
);
export type PreparationRecord = z.infer<typeof PreparationRecordSchema>;

export const HistoryStepSchema = z.strictObject({
  step: z.string(),
  state: z.enum(['started', 'done', 'failed']),
  startedAtWallMs: z.number(),
  endedAtWallMs: z.number().nullable(),
});

/**
 * `history/<group>/<member>/<opId>`: how a recovery ended. It is bounded per member, with
 * retention.
 */
export const HistoryRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    opId: z.string(),
    member: MemberIdSchema,
    /**
     * `replaced`: another instance is activated. `mended`: the same instance is back in service.
     * `not-mended`: it was not brought back this way, and is still the activated one. `abandoned`:
     * a person ended it. `undone`: the instance that an earlier recovery retired is activated
     * again. All but the first and the last raise the ordinal in the activation.
     */
    outcome: z.enum(['replaced', 'mended', 'not-mended', 'abandoned', 'undone']),
    /** How it was tried. Absent: `snapshot-and-replace`, the only way there was. */
    strategy: z.string().optional(),
    /**
     * How long it was to take by published figures, to its end, ms. Absent: it was not predicted.
     */
    predictedMs: z.number().optional(),
    reason: z.string(),
    oldInstanceId: z.string(),
    /** As in the intent. */
    ordinal: z.number().int().min(0),
    /** The zone as in the intent. The mass guard counts this recovery in it. */
    oldAz: z.string(),
    /** As in the plan. */
    oldLaunchedAtWallMs: z.number().nullable(),
    newInstanceId: z.string().nullable(),
    newIncarnation: z.number().int().nullable(),
    startedAtWallMs: z.number(),
    endedAtWallMs: z.number(),
    lastHeardWallMs: z.number().nullable(),
    /**
     * What `undo` has to know of the retired instance. Absent: there is none, or an older build
     * wrote it.
     */
    undo: z
      .strictObject({
        /** Its disks. */
        volumeIds: z.array(z.string()),
        /** Those of them that have moved to its successor. */
        movedVolumeIds: z.array(z.string()),
        /** A Stop of it was sent whose outcome is not known. Absent: none was. */
        stopMayLand: z.literal(true).optional(),
        /** It was terminated before its successor ran, or may be. Absent: it is kept. */
        ended: z.literal(true).optional(),
      })
      .optional(),
    /** Distinct terms that wrote the journal, minus one. */
    leaderChanges: z.number().int(),
    /**
     * How the old instance was known to be out of the way. `lease`: it was not seen stopped, its
     * serve lease was waited out, and it may still run. Null: the recovery was abandoned before
     * that was known.
     */
    fencedBy: z.enum(['stopped', 'terminated', 'lease']).nullable(),
    launchAttempts: z.number().int(),
    steps: z.array(HistoryStepSchema),
    /**
     * What the member lost on the way, beyond the losses of the plan: accepted by an operator, or
     * gone by itself.
     */
    losses: z.array(z.strictObject({ code: z.string(), text: z.string() })).optional(),
    acts: z.array(OperatorActSchema).optional(),
    /** Why it was this way: what became of each rung. Absent: there was nothing to choose. */
    ladder: z.array(RungSchema).optional(),
    /**
     * How each disk got to the replacement. Absent: it has none, or an older build has written it.
     */
    volumePaths: z.array(z.strictObject({ volumeId: z.string(), path: z.string() })).optional(),
    /**
     * When EC2 started the instance last, as the recovery saw when it ended: its own start is not
     * somebody else's. Absent: as `oldLaunchedAtWallMs`.
     */
    lastLaunchedAtWallMs: z.number().optional(),
    /**
     * Calls about the instance that the member has afterwards that were sent and whose outcome is
     * open: each may still land. Absent: there is none.
     */
    lateCalls: z.array(z.enum(['stop', 'start', 'reboot', 'detach', 'terminate'])).optional(),
    /**
     * The state in which a recovery without a replacement left everything, in words. Empty
     * otherwise.
     */
    leftAs: z.array(z.string()).optional(),
    /**
     * Addresses of the plan that were never seen on the replacement, which failed before. The next
     * plan moves them; `owedFrom` names the instances that may still hold one.
     */
    owedAddresses: z.array(PlannedAddressSchema).optional(),
    /** The same of what is assigned to interfaces. */
    owedAssigned: z.array(PlannedAssignedSchema).optional(),
    /** The same of further interfaces. */
    owedInterfaces: z.array(PlannedInterfaceSchema).optional(),
    /** What it has moved, and where it was put. Absent: nothing, or written by an older build. */
    moved: z.array(MovedItemSchema).optional(),
    /** The same of records and target groups. */
    owedRecords: z.array(PlannedRecordSetSchema).optional(),
    owedTargets: z.array(PlannedTargetsSchema).optional(),
    /** As in the intent. */
    prepared: preparedBefore.optional(),
    /** Hooks that run because it brought nothing back. Absent: the policy had none. */
    failureHooks: z.array(FailureHookSchema).optional(),
    /** What an undo that was called off may yet have started. Absent: nothing. */
    lateStart: LateStartSchema.optional(),
    /**
     * Who had stopped, ended or rebooted the old instance in the day before, as CloudTrail told it,
     * also after the end of the recovery; at most five. Absent: nobody is known.
     */
    deeds: z.array(DeedSchema).optional(),
    /** What the collector still has to remove, and when. */
    leftovers: z.array(LeftoverSchema),
    /** Chores that were still open on the replacement when this was closed, and are open yet. */
    owed: z.array(OwedChoreSchema),
    /**
     * A person has looked at it. It no longer keeps the next recovery of this member waiting
     * (cooldown), and counts no longer as flapping. Absent: nobody has.
     */
    acknowledged: z.strictObject({ ...operatorFields, atWallMs: z.number() }).optional(),
  }),
  { area: 'history', parts: [3], says: (parts) => ({ ...ofMember(parts), opId: parts[2] ?? '' }) },
);
export type HistoryRecord = z.infer<typeof HistoryRecordSchema>;
