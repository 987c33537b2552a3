import * as z from 'zod';
import { RungSchema } from '../records/recovery.ts';

/** EC2's word on whether it would allow a call, as far as it was asked (DryRun). */
export const CallWordSchema = z.object({
  /**
   * `allowed`; `denied`: the role lacks a permission; `refused`: EC2 would not take the call as it
   * is; `not-asked`: not yet, or it did not answer; `cannot-be-asked`: it is about something that
   * only the recovery makes.
   */
  word: z.enum(['allowed', 'denied', 'refused', 'not-asked', 'cannot-be-asked']),
  /** EC2's own words, or why it was not asked. Empty: there is nothing to add. */
  text: z.string(),
  /** Null: it was not asked. */
  askedAtWallMs: z.number().nullable(),
});
export type CallWord = z.infer<typeof CallWordSchema>;

export const PlannedCallViewSchema = z.object({
  /** As AWS names it, e.g. `RunInstances`. */
  action: z.string(),
  /**
   * Its parameters, in the names of the AWS API. `<…>` stands for what only the recovery makes.
   * User data is not shown: it holds a key.
   */
  parameters: z.record(z.string(), z.unknown()),
  /** Null: it is made in every recovery by this plan. Otherwise the condition, in words. */
  when: z.string().nullable(),
  permission: CallWordSchema,
});
export type PlannedCallView = z.infer<typeof PlannedCallViewSchema>;

export const PlannedStepViewSchema = z.object({
  id: z.string(),
  /** Ids of the steps that must be done before. */
  needs: z.array(z.string()),
  /** It is done only when an attempt has failed. */
  onFailure: z.boolean(),
  /** How long it takes, as it usually goes and on a bad day, ms. Null: it is not predicted. */
  takes: z.object({ typicalMs: z.number(), slowMs: z.number() }).nullable(),
  /** What the prediction rests on: `published` figures, or what was `measured` here. */
  basis: z.enum(['published', 'measured', 'unknown']).nullable(),
  /** Null: the step does not tell its calls. */
  calls: z.array(PlannedCallViewSchema).nullable(),
});
export type PlannedStepView = z.infer<typeof PlannedStepViewSchema>;

const DurationSchema = z.object({ typicalMs: z.number(), slowMs: z.number() });

/** What a recovery by the plan will take and cost, if its first attempt gets through. */
export const PlanForecastSchema = z.object({
  /** Until the member may serve again, after the detection, ms. */
  servesAfter: DurationSchema,
  /** Until the recovery is closed, ms. */
  closedAfter: DurationSchema,
  /** From then on what was written is lost. Null: nothing that is on a disk is. */
  losesSinceWallMs: z.number().nullable(),
  /** How long undo stays possible, in words. */
  undo: z.string(),
});
export type PlanForecast = z.infer<typeof PlanForecastSchema>;

export const PlannedVolumeViewSchema = z.object({
  volumeId: z.string(),
  deviceName: z.string(),
  /** How its content gets to the replacement. */
  path: z.string(),
  /** Why that path, in words. Empty: there was no choice. */
  why: z.string(),
});

export const CandidateViewSchema = z.object({
  instanceType: z.string(),
  az: z.string(),
  subnetId: z.string(),
});

const PlanLineSchema = z.object({ sign: z.enum(['+', '-', '~', ' ']), text: z.string() });

/** The answer to whether the last recovery of a member can be put back now (`docs/undo.md`). */
export const UndoViewSchema = z.object({
  /** True: `understudy undo` begins it, once what it loses is accepted. */
  isPossible: z.boolean(),
  /** Why it is refused, or what has to be accepted. Empty: nothing is. */
  code: z.string(),
  text: z.string(),
  /** It is refused from then on. Null: it is not known, or the instance is kept for ever. */
  untilWallMs: z.number().nullable(),
});
export type UndoView = z.infer<typeof UndoViewSchema>;

/** What is made at EC2 while the member is only suspect (`docs/prepare.md`). */
export const PreparedViewSchema = z.object({
  /** What is made for it now, or why nothing is, in words. Null: it is well. */
  now: z.string().nullable(),
  /** What would be made for a suspect that comes back by this plan. Empty: nothing is of use. */
  makes: z.array(z.string()),
  /** What the group may have: at once, in 24 hours, and for how long, with what it has had. */
  limits: z.object({
    atOnce: z.number(),
    open: z.number(),
    perDay: z.number(),
    today: z.number(),
    keptForMs: z.number(),
    /**
     * In the currency of the policy: the most that the group may spend in 24 hours, the most that
     * those begun in the last 24 hours can cost, and the most that what this plan makes can. Null:
     * there is no plan. Absent: there is no limit in money.
     */
    spend: z.object({ perDay: z.number(), today: z.number(), next: z.number().nullable() }).optional(),
  }),
});
export type PreparedView = z.infer<typeof PreparedViewSchema>;

/** What is supposed of the failure, for a plan of a recovery that has not begun. */
export const SupposedSchema = z.object({
  /**
   * `judged`: as it is judged now; `silent`: as if a member that answers fell silent now, with what
   * EC2 says of it now; `asked`: the way that was asked for.
   */
  kind: z.enum(['judged', 'silent', 'asked']),
  text: z.string(),
});

/** One way of the ladder, as the plan tells it. */
export const PlannedRungSchema = z.object({
  ...RungSchema.shape,
  /** How long it may take before the next one is taken, ms. Null: it is not given up by itself. */
  deadlineMs: z.number().nullable(),
  /** What has to be seen for it to have helped, in words. */
  proof: z.string(),
  /** The way after it, if it does not help. Null: it is left out, or a person is waited for. */
  next: z.string().nullable(),
});
export type PlannedRungView = z.infer<typeof PlannedRungSchema>;

export const PlanViewSchema = z.object({
  member: z.string(),
  opId: z.string(),
  instanceId: z.string(),
  /** What it is judged to be now, and why. */
  verdict: z.string(),
  reason: z.string(),
  /** Absent: an older build answered. */
  supposes: SupposedSchema.optional(),
  /** A recovery by it would begin by itself now. */
  wouldBegin: z.boolean(),
  gates: z.array(
    z.object({
      gate: z.string(),
      passes: z.boolean(),
      text: z.string(),
      overridable: z.boolean(),
      because: z.string(),
    }),
  ),
  /** Names this plan: `understudy recover --plan`. Null: there is none. */
  token: z.string().nullable(),
  lines: z.array(PlanLineSchema),
  losses: z.array(z.object({ code: z.string(), text: z.string() })),
  /** Why no plan can be made. Empty: one can. */
  problems: z.array(z.object({ code: z.string(), text: z.string() })),
  /** Median of what recoveries of this group have taken. Null: none has ended. */
  expectedMs: z.number().nullable(),
  /** How it is brought back, and why in this way. Null: there is no plan. */
  strategy: z
    .object({
      name: z.string(),
      why: z.string(),
      /** What became of each rung of the ladder. Absent: the policy names one way. */
      ladder: z.array(RungSchema).optional(),
    })
    .nullable()
    .default(null),
  /** Every way of the ladder. Empty: the policy names one way, or an older build answered. */
  rungs: z.array(PlannedRungSchema).default([]),
  /** In the order of the plan, each with its calls. */
  steps: z.array(PlannedStepViewSchema).default([]),
  volumes: z.array(PlannedVolumeViewSchema).default([]),
  /** Where the replacement is launched, in order. Empty: nothing is launched. */
  candidates: z.array(CandidateViewSchema).default([]),
  forecast: PlanForecastSchema.nullable().default(null),
  /** Absent: the policy names nothing, or an older build answered. */
  prepared: PreparedViewSchema.optional(),
  /** The recovery before this one. Absent: an older build answered. */
  undo: UndoViewSchema.optional(),
  /** What should be looked at while nothing is wrong: the recovery can begin all the same. */
  notices: z.array(z.object({ code: z.string(), text: z.string() })).default([]),
});
export type PlanView = z.infer<typeof PlanViewSchema>;

/** How many calls there are of each word of EC2, and which it would not simply allow. */
export const PermissionCountsSchema = z.object({
  allowed: z.number(),
  /** It was not asked yet. */
  unknown: z.number(),
  denied: z.array(z.string()),
  /** An action a call: what EC2 would not take as it is, and did not deny. */
  refused: z.array(z.string()).default([]),
  /** An action a call: what EC2 cannot be asked about before the recovery. */
  cannotBeAsked: z.array(z.string()).default([]),
});
export type PermissionCounts = z.infer<typeof PermissionCountsSchema>;

/** What readiness says of one way of the ladder. */
export const RungReadinessSchema = z.object({
  rung: z.string(),
  /** What would become of it if the member fell silent now. */
  said: RungSchema.shape.said,
  why: z.string(),
  /** Why no plan can be made by it. Empty: one can. */
  problems: z.array(z.object({ code: z.string(), text: z.string() })),
  losses: z.array(z.string()),
  forecast: PlanForecastSchema.nullable(),
  permissions: PermissionCountsSchema,
});
export type RungReadiness = z.infer<typeof RungReadinessSchema>;

const CallCountsSchema = z.record(z.string(), z.number());

const ZoneLostPlanSchema = z.object({
  /** Null: there is no plan, and `problems` say why. */
  strategy: z.string().nullable(),
  candidates: z.array(CandidateViewSchema),
  problems: z.array(z.object({ code: z.string(), text: z.string() })),
  forecast: PlanForecastSchema.nullable(),
  calls: CallCountsSchema,
});

/** What there would be to restore if the disks of a member were lost with it. */
export const DisksBackedUpSchema = z.object({
  /** How many disks it has. */
  count: z.number(),
  /**
   * The oldest of the newest complete snapshots that all its disks have: from then on what was
   * written would be lost. Null: a disk has none, so that everything would be.
   */
  snapshotsAtWallMs: z.number().nullable(),
});

/** A plan in short, as it was when the member's readiness was looked at last. */
export const PlanSummarySchema = z.object({
  member: z.string(),
  instanceId: z.string(),
  lookedAtWallMs: z.number(),
  /** How it would begin if the member fell silent now. Null: there is no plan. */
  strategy: z.string().nullable(),
  /** The way that can be planned and takes longest. Null: none can, or an older build answered. */
  worst: z.string().nullable().default(null),
  /** Each way of its ladder. Empty: no plan, or an older build answered. */
  rungs: z.array(RungReadinessSchema).default([]),
  /** Where another instance would be launched, by the first way that launches one. */
  candidates: z.array(CandidateViewSchema),
  /** Codes of what it will not have after that way. */
  losses: z.array(z.string()),
  problems: z.array(z.object({ code: z.string(), text: z.string() })),
  forecast: PlanForecastSchema.nullable(),
  /** EC2's word on the calls of all ways. */
  permissions: PermissionCountsSchema,
  /** How often every such recovery makes each call that changes something. Absent: not known. */
  calls: CallCountsSchema.optional(),
  /**
   * The same if its zone were lost: outside of it. Absent: the policy does not recover a lost zone,
   * or an older build answered.
   */
  ifZoneLost: ZoneLostPlanSchema.optional(),
  /** Absent: EC2 refused to show it, or an older build answered. */
  disks: DisksBackedUpSchema.optional(),
  /** Subnets of the places, as EC2 counts their free addresses. Absent: as above. */
  subnets: z.array(z.object({ subnetId: z.string(), freeAddresses: z.number() })).optional(),
});
export type PlanSummary = z.infer<typeof PlanSummarySchema>;

export const PlansViewSchema = z.object({
  plans: z.array(PlanSummarySchema),
  /** Members whose readiness this leader has not looked at yet, or not since a change. */
  notLookedAt: z.array(z.string()),
});
export type PlansView = z.infer<typeof PlansViewSchema>;
