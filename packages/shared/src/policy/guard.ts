import * as z from 'zod';
import { durationMs } from '../duration-field.ts';
import { MAINTENANCE_WINDOWS_MAX, MaintenanceWindowSchema } from '../maintenance-window.ts';

const LostZoneSchema = z.strictObject({
  /** Its name in this account, as `us-east-1a`. */
  zone: z.string().min(1),
  /** In UTC, as `2026-01-31T12:00:00Z`. The word is over then, so that none is forgotten. */
  until: z.iso.datetime(),
  /**
   * Only a part of it is lost: the word counts although members there are heard. Absent: it counts
   * for nothing while anybody there is heard.
   */
  partly: z.literal(true).optional(),
});
export type LostZone = z.infer<typeof LostZoneSchema>;

/** What a person calls lost at this moment. */
export const zonesCalledLost = (
  { guard: { lostZones = [] } }: { readonly guard: { readonly lostZones?: readonly LostZone[] | undefined } },
  nowWallMs: number,
): readonly LostZone[] => lostZones.filter((one) => Date.parse(one.until) > nowWallMs);

/** Whether, and how often, a failed member of the group is recovered. Durations in ms. */
export const guardFields = z.strictObject({
  /** After a recovery has completed, this member is not recovered again during this time. */
  cooldownMs: durationMs(600_000, 0, 86_400_000),
  /** This many recoveries of one member within `flapWindowMs` is flapping: hold for a person. */
  flapLimit: z.number().int().min(1).max(100).default(3),
  /** The time in which `flapLimit` is counted. Longer remembers more recoveries. */
  flapWindowMs: durationMs(86_400_000, 1_000, 604_800_000),
  /** A fresh instance is not judged before this age. */
  bootGraceMs: durationMs(120_000, 0, 3_600_000),
  /**
   * While one of these is open no recovery of the group begins (one that was begun goes on), so
   * that planned reboots are not taken for failures. A member that really fails then waits for the
   * end of the window. At most ten.
   */
  maintenanceWindows: z.array(MaintenanceWindowSchema).max(MAINTENANCE_WINDOWS_MAX).default([]),
  /**
   * What to do when half of an Availability Zone's members fail at once, and none elsewhere.
   * `hold`: nothing is begun until a person has looked. This is right when the zone comes back
   * sooner than a replacement does, or when the members elsewhere suffice. `recover`: members in
   * that zone are replaced outside of it, at the pace of the budget. This is right when each of
   * them is needed, and wrong when it is the zone's network that was lost and EC2 can still fence
   * it. It needs `recover.placements`.
   */
  whenZoneLost: z.enum(['hold', 'recover']).default('hold'),
  /**
   * Availability Zones that a person has looked at and calls lost, each until a time. Coordinators
   * that hear less than half of their fleet do not trust their own ears; then the members outside
   * of these zones are what they go by, as long as half of those are heard, and nobody in the zones
   * is. It calls nobody dead: `whenZoneLost` says what follows. Absent: none.
   */
  lostZones: z.array(LostZoneSchema).max(20).optional(),
  /** Recoveries at the same time in this group. */
  concurrency: z.number().int().min(1).max(1000).default(1),
});
