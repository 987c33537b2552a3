import { durationMs } from '@understudy/shared';
import * as z from 'zod';

const postgres = z.strictObject({
  /** Name or address of the server; or the folder of its socket, which begins with `/`. */
  host: z.string().min(1),
  /** TCP port, 1 to 65 535. Default 5432. */
  port: z.number().int().min(1).max(65_535).default(5_432),
  database: z.string().min(1),
  user: z.string().min(1),
  /** File with the password (mode 0600); white space around it is dropped. Absent: none. */
  passwordFile: z.string().min(1).optional(),
  /** Authority of the server's certificate, PEM. Absent: no TLS, as fits a socket. */
  caFile: z.string().min(1).optional(),
});

/**
 * Section `inventory` of the coordinator's configuration (`docs/inventory.md`). Absent: no history
 * is kept, and nothing is listed for it.
 */
export const InventoryConfigSchema = z.strictObject({
  /** One file on this host. Each coordinator has the history of its own terms in its own. */
  sqlite: z
    .strictObject({
      /** It is made, mode 0600. Its folder has to be there, and writable for the coordinator. */
      file: z.string().min(1),
    })
    .optional(),
  /** A database that all coordinators share. Tables are made in it, `inventory_…`. */
  postgres: postgres.optional(),
  /**
   * From the end of one crawl to the beginning of the next, ms. Default 120 000, 10 000 to 86 400
   * 000. Shorter = a change is dated more exactly, and more Describe calls.
   */
  everyMs: durationMs(120_000, 10_000, 86_400_000),
  /**
   * From one page of a listing to the next, ms. Default 250, 50 to 60 000. One page is under way at
   * once. Shorter ends a crawl sooner, and leaves fewer tokens to recoveries.
   */
  paceMs: durationMs(250, 50, 60_000),
  /** Hosted zones of Route 53 whose records are kept. Default none. */
  hostedZones: z
    .array(z.string().regex(/^[A-Z0-9]{1,32}$/, 'want the id of a hosted zone'))
    .max(100)
    .default([]),
  /** ARNs of target groups whose registered targets are kept, a call each. Default none. */
  targetGroups: z
    .array(
      z
        .string()
        .regex(
          /^arn:[^:]+:elasticloadbalancing:[^:]+:\d{12}:targetgroup\/[^*?]{1,128}$/,
          'want the ARN of a target group',
        ),
    )
    .max(100)
    .default([]),
  /**
   * Versions that ended longer ago than this are removed, ms. Default 30 days, an hour to 10 years.
   * The current version of a resource stays, however old.
   */
  keptMs: durationMs(2_592_000_000, 3_600_000, 315_360_000_000),
  /**
   * So many ended versions are kept at most, the newest, 1 000 to 100 000 000. Default 5 000 000:
   * some 3 GB in SQLite.
   */
  versionsMax: z.number().int().min(1_000).max(100_000_000).default(5_000_000),
});
export type InventoryConfig = z.infer<typeof InventoryConfigSchema>;
