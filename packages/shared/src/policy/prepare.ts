import * as z from 'zod';
import { durationMs } from '../duration-field.ts';
import { PREPARED_KINDS } from '../prepared-kinds.ts';

/** What is read while a member is only suspect (`docs/prepare.md`). */
export const prepareField = z.enum(['nothing', 'reads', 'trial']).optional();

/**
 * What is made at EC2 while a member is only suspect, so that its recovery finds it (`docs/
 * prepare.md`). It costs money for each suspicion that comes to nothing, and EC2's prices are not
 * known here: what bounds it are counts and times. Nothing is made with more than three suspects at
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
