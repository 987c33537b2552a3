import * as z from 'zod';
import { durationMs } from '../duration-field.ts';
import { PREPARED_KINDS } from '../prepared-kinds.ts';

/** What is read while a member is only suspect (`docs/prepare.md`). */
export const prepareField = z.enum(['nothing', 'reads', 'trial']).optional();

const price = z.number().min(0).max(1_000_000);

/**
 * A limit in money, by prices that the operator names: EC2's are not known here, and differ by
 * Region, contract and discount. All are in one currency, whichever.
 */
const spendFields = z.strictObject({
  /**
   * The most that preparations of the group which were begun within any 24 hours may cost. Each
   * counts, from its beginning on, with the most that it can cost; nothing is given back for what
   * turns out cheaper. More = more suspicions find something made. 0 = nothing that has a price.
   */
  perDay: z.number().min(0).max(1_000_000_000),
  /** Price of an hour of an instance, of every type that `instanceHourOf` does not name. */
  instanceHour: price,
  /** Price of an hour of an instance by its type. Absent: all cost the same. */
  instanceHourOf: z.record(z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'is no instance type'), price).optional(),
  /** Price of a GiB of volume for a month of 730 hours. */
  volumeGibMonth: price,
  /** Price of a GiB of snapshot for a month of 730 hours. */
  snapshotGibMonth: price,
});
export type SpendPolicy = z.infer<typeof spendFields>;

/**
 * What is made at EC2 while a member is only suspect, so that its recovery finds it (`docs/
 * prepare.md`). It costs money for each suspicion that comes to nothing. What bounds it are counts
 * and times, and money where `spend` says so. Nothing is made with more than three suspects at
 * once. Durations in ms.
 */
export const prepareFields = z.strictObject({
  /**
   * `snapshot`: snapshots of its disks, so that those of the recovery have less to copy. `seed`:
   * the instance that will get its disks, where the way back is `reattach`. It boots the member's
   * image without user data, is stopped at once, and carries none of the member's tags.
   * `capacity`: EC2 is asked which zone and type of the plan has room, by a targeted capacity
   * reservation of one place that is ended as soon as it is there; the recovery begins with that
   * one. It is paid for like the running instance, for about a second.
   */
  makes: z
    .array(z.enum(PREPARED_KINDS))
    .max(PREPARED_KINDS.length)
    .refine((kinds) => new Set(kinds).size === kinds.length, 'each at most once')
    .default([]),
  /** Preparations of the group at once. More = more of a shared failure is prepared for. */
  atOnce: z.number().int().min(1).max(20).default(1),
  /**
   * Preparations of the group in any 24 hours, those that were taken over among them. More = more
   * false suspicions are paid for.
   */
  perDay: z.number().int().min(1).max(1_000).default(10),
  /**
   * A preparation that no recovery has taken over by then is dropped. Shorter = less is paid for;
   * longer = a member that stays suspect, or whose recovery is held, still finds it.
   */
  keptForMs: durationMs(600_000, 60_000, 86_400_000),
  /** What it may cost. Absent: only the counts and times above are limits. */
  spend: spendFields.optional(),
});
export type PreparePolicy = z.infer<typeof prepareFields>;

interface Prepares {
  readonly recover: {
    readonly prepareWhileSuspect?: z.infer<typeof prepareField>;
    readonly prepare?: PreparePolicy | undefined;
  };
}

/** What is to be made for a suspect; null: nothing. */
export const makesWhileSuspect = ({ recover: { prepare } }: Prepares): PreparePolicy | null =>
  prepare === undefined || prepare.makes.length === 0 ? null : prepare;

/** A policy that says nothing of it wants nothing. */
export const preparesNothing = (policy: Prepares): boolean =>
  (policy.recover.prepareWhileSuspect ?? 'nothing') === 'nothing' && makesWhileSuspect(policy) === null;
