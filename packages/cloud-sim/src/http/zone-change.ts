import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';

/**
 * What becomes of a zone: its control plane alone is out of order (`impaired`), its hosts fail too
 * (`fail`), or all is well again (`heal`).
 */
export const ZoneSchema = z.union([
  z.strictObject({ impaired: z.boolean() }),
  z.strictObject({ fail: z.enum(['power', 'hang']) }),
  z.strictObject({ heal: z.enum(['come-back', 'stay-down']) }),
]);

export type ZoneChange = z.infer<typeof ZoneSchema>;

export function changeZone(sim: CloudSim, az: string, change: ZoneChange): void {
  if ('impaired' in change) sim.setZoneImpaired(az, change.impaired);
  else if ('fail' in change) sim.failZone(az, change.fail);
  else sim.healZone(az, change.heal);
}
