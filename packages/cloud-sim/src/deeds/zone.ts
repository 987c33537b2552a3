import * as z from 'zod';
import { deed } from './deed.ts';

/**
 * Its control plane alone is out of order (`impaired`), its hosts fail too (`fail`), or all is well
 * again (`heal`).
 */
const ChangeSchema = z.union([
  z.strictObject({ impaired: z.boolean() }),
  z.strictObject({ fail: z.enum(['power', 'hang']) }),
  z.strictObject({ heal: z.enum(['come-back', 'stay-down']) }),
]);

/** What becomes of a zone. */
export const zone = deed({
  name: 'zone',
  path: '/zones/:az',
  value: z.strictObject({ az: z.string(), change: ChangeSchema }),
  otherwise: 'no such zone',
  requested: ({ az }, change) => ({ az, change }),
  perform: ({ sim }, { az, change }) => {
    if (!sim.zones.includes(az)) return false;
    if ('impaired' in change) sim.setZoneImpaired(az, change.impaired);
    else if ('fail' in change) sim.failZone(az, change.fail);
    else sim.healZone(az, change.heal);
    return true;
  },
});
