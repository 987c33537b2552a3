import * as z from 'zod';
import { durationMs } from '../duration-field.ts';

const ZONES_MAX = 20;
const NAMES_MAX = 50;

const zone = z.strictObject({
  /** Id of the hosted zone, e.g. `Z0123456789ABC`. A private zone has one of its own. */
  zoneId: z.string().regex(/^Z[A-Z0-9]{1,31}$/),
  /** Only these names. Absent: every A record of the zone that has an address of the member. */
  names: z.array(z.string().min(1).max(255)).min(1).max(NAMES_MAX).optional(),
});

/** Which records of Route 53 follow a member to its replacement. Durations in ms. */
export const dnsFields = z.strictObject({
  /** Hosted zones in which records are looked for. Empty: none follows. */
  zones: z.array(zone).max(ZONES_MAX).default([]),
  /**
   * A change that was made is followed until Route 53 has spread it, for at most this long. Shorter
   * = the recovery is closed sooner, and says that the change was still pending.
   */
  insyncWithinMs: durationMs(300_000, 5_000, 3_600_000),
});
