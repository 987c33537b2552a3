import * as z from 'zod';

export const WHAT_IF_KINDS = ['zone-lost', 'member', 'coordinator'] as const;
/** What is supposed to fail now, and its name. */
export interface WhatIfScenario {
  readonly kind: (typeof WHAT_IF_KINDS)[number];
  readonly name: string;
}

/** What would become of one member that is supposed to fail. Times count from the failure, ms. */
export const WhatIfMemberSchema = z.object({
  member: z.string(),
  az: z.string(),
  /**
   * `stuck`: a recovery would begin and not get through, as all its places are in the lost zone.
   */
  outcome: z.enum(['recovered', 'held', 'stuck', 'recovering']),
  /** As how many-th its recovery would begin. Null: it would not. */
  order: z.number().nullable(),
  strategy: z.string().nullable(),
  /** Zones that its replacement may be launched in. Empty: it stays on its instance. */
  places: z.array(z.string()),
  startsAfterMs: z.number().nullable(),
  /** As it usually goes, and on a bad day. */
  servesAfterMs: z.number().nullable(),
  servesAfterSlowMs: z.number().nullable(),
  /** How long a time of writes is lost, ms. Null: not known. */
  rpoMs: z.number().nullable(),
  /** What it waited for, in order: the gates of the guard that held it for a time. */
  waitedFor: z.array(z.string()),
  /** How long its calls wait for EC2's rate limits. */
  rateWaitMs: z.number(),
  /** Why it is held, or that nothing is in the way. */
  reason: z.string(),
  text: z.string(),
});
export type WhatIfMember = z.infer<typeof WhatIfMemberSchema>;

export const WhatIfViewSchema = z.object({
  scenario: z.object({ kind: z.enum(WHAT_IF_KINDS), name: z.string() }),
  asOfWallMs: z.number(),
  /** One line. */
  verdict: z.string(),
  observers: z.object({
    lost: z.array(z.string()),
    left: z.array(z.string()),
    /** Why those that are left would have no opinion. Null: they have. */
    abstain: z.string().nullable(),
  }),
  leader: z.object({
    now: z.string().nullable(),
    isLost: z.boolean(),
    /** Who of those that are left may lead. */
    next: z.array(z.string()),
    /** Until one of them does, at most, ms. 0: the leader stays. Null: nobody can. */
    afterMs: z.number().nullable(),
  }),
  /** Those that fail, in the order in which they would be recovered; the held ones behind. */
  members: z.array(WhatIfMemberSchema),
  /** Zones whose other members would no longer be called dead if they failed too, and why. */
  unwatched: z.array(z.object({ az: z.string(), members: z.number(), reason: z.string(), text: z.string() })),
  /** Calls of these recoveries at the limits of AWS, as this cluster uses its share of them. */
  rates: z.array(
    z.object({
      action: z.string(),
      calls: z.number(),
      burst: z.number(),
      refillPerSecond: z.number(),
      longestWaitMs: z.number(),
    }),
  ),
  /** What it supposes. */
  supposes: z.array(z.string()),
  notKnown: z.array(z.string()),
  /** It was ended at its bound: what is missing is not told. */
  truncated: z.boolean(),
});
export type WhatIfView = z.infer<typeof WhatIfViewSchema>;
