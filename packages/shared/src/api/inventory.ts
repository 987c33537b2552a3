import * as z from 'zod';

/** One state of one resource, and how long it was so (`docs/inventory.md`). */
export const InventoryVersionSchema = z.object({
  kind: z.string(),
  id: z.string(),
  /** The crawl that first saw it so. */
  validFromWallMs: z.number(),
  /** The crawl that first saw something else. Null: it is the current one. */
  validToWallMs: z.number().nullable(),
  /** The last crawl that saw it so. It changed between this and `validToWallMs`. */
  lastSeenWallMs: z.number(),
  /** `changed` or `gone`. Null: it is the current one. */
  end: z.enum(['changed', 'gone']).nullable(),
  crawl: z.string(),
  /** Who made the change that began it. Null: no event of AWS says so. */
  changedBy: z.string().nullable(),
  /** The resource in the words of AWS, without what changes by itself. */
  document: z.record(z.string(), z.unknown()),
});
export type InventoryVersion = z.infer<typeof InventoryVersionSchema>;

export const InventoryPageSchema = z.object({
  versions: z.array(InventoryVersionSchema),
  /** For `cursor` of the next page. Null: there is none. */
  next: z.string().nullable(),
});
export type InventoryPage = z.infer<typeof InventoryPageSchema>;

export const InventoryDifferenceSchema = z.object({
  kind: z.string(),
  id: z.string(),
  change: z.enum(['appeared', 'gone', 'changed']),
  before: InventoryVersionSchema.nullable(),
  after: InventoryVersionSchema.nullable(),
  /** What differs, field by field. Null: the field was not there. */
  fields: z.array(z.object({ path: z.string(), before: z.unknown(), after: z.unknown() })),
});
export type InventoryDifference = z.infer<typeof InventoryDifferenceSchema>;

export const InventoryDifferencesSchema = z.object({
  differences: z.array(InventoryDifferenceSchema),
  next: z.string().nullable(),
});
export type InventoryDifferences = z.infer<typeof InventoryDifferencesSchema>;

const FieldsSchema = z.array(z.object({ path: z.string(), before: z.unknown(), after: z.unknown() }));

/** The forensic record of a recovery, as far as crawls have seen it. */
export const InventoryRecoverySchema = z.object({
  member: z.string(),
  opId: z.string(),
  /** The recovery began then. */
  startedAtWallMs: z.number(),
  /** The old instance as it was last seen before. */
  before: InventoryVersionSchema,
  /** The instance that takes its place, as it is now. Null: it is not known, or gone. */
  now: InventoryVersionSchema.nullable(),
  /** What the one has differently from the other. */
  fields: FieldsSchema,
  /** What the old instance consisted of, or used. */
  resources: z.array(
    z.object({
      kind: z.string(),
      id: z.string(),
      /** `unknown`: no crawl had seen it before. */
      fate: z.enum(['kept', 'changed', 'gone', 'unknown']),
      /** The instance that takes its place names it, too. */
      isCarried: z.boolean(),
      fields: FieldsSchema,
    }),
  ),
  /** What is gone, and what nobody carries on. */
  lost: z.array(z.object({ kind: z.string(), id: z.string() })),
});
export type InventoryRecovery = z.infer<typeof InventoryRecoverySchema>;

export const InventoryStandingSchema = z.object({
  /** The coordinator whose history it is. */
  coordinatorId: z.string(),
  kinds: z.array(
    z.object({
      kind: z.string(),
      current: z.number(),
      versions: z.number(),
      lastCrawlWallMs: z.number().nullable(),
      lastCompleteWallMs: z.number().nullable(),
      /** `refused`: the answer was not believed. Null: none was made yet. */
      outcome: z.enum(['complete', 'partial', 'refused']).nullable(),
      /** Why it was not complete. */
      detail: z.string(),
      /** When somebody looked, the newest first. Between them nobody did. */
      covered: z.array(z.object({ fromWallMs: z.number(), toWallMs: z.number() })),
    }),
  ),
  sizeBytes: z.number(),
});
export type InventoryStanding = z.infer<typeof InventoryStandingSchema>;
