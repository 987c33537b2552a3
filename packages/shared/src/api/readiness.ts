import * as z from 'zod';

/**
 * What keeps a recovery from going well is counted by these kinds, in metrics too, so there are
 * few of them. A new one is a line here and one in the table of remedies.
 */
export const BLOCKER_KINDS = [
  'permission',
  'key',
  'image',
  'capacity',
  'subnet',
  'place',
  'gone',
  'agent',
  'paused',
  'held',
  'no-plan',
  'plan',
] as const;
export type BlockerKind = (typeof BLOCKER_KINDS)[number];

/**
 * From the worst to the best: what is not known is not ready. `unproven`: all that was looked at is
 * well, and EC2 was not asked yet whether it would allow every call.
 */
export const READINESS_VERDICTS = ['blocked', 'unknown', 'at-risk', 'unproven', 'recovering', 'ready'] as const;
export type ReadinessVerdict = (typeof READINESS_VERDICTS)[number];

const DurationSchema = z.object({ typicalMs: z.number(), slowMs: z.number() });

export const BlockerSchema = z.object({
  /** One of {@link BLOCKER_KINDS}; a later build may know more. */
  kind: z.string(),
  code: z.string(),
  text: z.string(),
  /** What a person does about it. */
  remedy: z.string(),
  /** A recovery would not begin, or not get through. False: it would be late, or not as wanted. */
  stops: z.boolean(),
  /** When what it says was looked at. */
  lookedAtWallMs: z.number(),
});
export type Blocker = z.infer<typeof BlockerSchema>;

export const ReadinessFactSchema = z.object({
  /** What was looked at: `plan`, `permissions`, `guard`, `agent` … */
  fact: z.string(),
  /** `old`: too long ago to go by it. `unknown`: not yet, or it was not answered. */
  state: z.enum(['known', 'old', 'unknown']),
  lookedAtWallMs: z.number().nullable(),
  text: z.string(),
});
export type ReadinessFact = z.infer<typeof ReadinessFactSchema>;

export const ObjectiveMissSchema = z.object({
  objective: z.enum(['rtoMs', 'rpoMs']),
  wantedMs: z.number(),
  /** Null: everything would be lost. */
  predictedMs: z.number().nullable(),
  text: z.string(),
  remedy: z.string(),
});
export type ObjectiveMiss = z.infer<typeof ObjectiveMissSchema>;

/** What would become of one member if it failed now. */
export const MemberReadinessSchema = z.object({
  member: z.string(),
  instanceId: z.string(),
  az: z.string(),
  verdict: z.enum(READINESS_VERDICTS),
  /** How it would begin. Null: not known, or there is no plan. */
  strategy: z.string().nullable(),
  /**
   * Predicted, from the failure until it serves again, on a bad day; the detection is part of it,
   * and nothing that holds it. Null: not known.
   */
  rtoMs: z.number().nullable(),
  /** The same as it usually goes and on a bad day; `detection` is within. */
  rto: z.object({ ...DurationSchema.shape, detection: DurationSchema }).nullable(),
  /** When no way helps but the last: all that the earlier ones may take, and that one. */
  rtoLastWayMs: z.number().nullable(),
  /** What was written in so long a time is lost at most, while its disks can be read. */
  rpoMs: z.number().nullable(),
  /** The same, if its disks are lost with it. Null: everything is, or it is not known. */
  rpoDisksLostMs: z.number().nullable(),
  /** True: a disk has no complete snapshot. */
  losesEverythingWithDisks: z.boolean(),
  objectives: z.object({ rtoMs: z.number().optional(), rpoMs: z.number().optional() }).nullable(),
  missed: z.array(ObjectiveMissSchema),
  blockers: z.array(BlockerSchema),
  facts: z.array(ReadinessFactSchema),
  judgedAtWallMs: z.number(),
});
export type MemberReadiness = z.infer<typeof MemberReadinessSchema>;

export const ReadinessViewSchema = z.object({
  /** The worst first. */
  members: z.array(MemberReadinessSchema),
  counts: z.record(z.string(), z.number()),
  /** What would keep every recovery waiting for a while; it changes no member's verdict. */
  ofFleet: z
    .array(z.object({ code: z.string(), text: z.string(), untilWallMs: z.number().nullable() }))
    .readonly()
    .optional(),
  /** What nobody can know beforehand, and no verdict here rests on. */
  notKnown: z.array(z.string()),
});
export type ReadinessView = z.infer<typeof ReadinessViewSchema>;
