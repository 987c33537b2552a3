import * as z from 'zod';
import { deed } from './deed.ts';

/** How many of a type still fit into a zone. Null: no limit. */
export const capacity = deed({
  name: 'capacity',
  path: '/capacity',
  value: z.strictObject({
    az: z.string(),
    instanceType: z.string(),
    left: z.number().int().min(0).nullable(),
  }),
  perform: ({ sim }, { az, instanceType, left }) => {
    sim.setCapacity(az, instanceType, left);
    return true;
  },
});
