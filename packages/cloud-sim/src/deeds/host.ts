import * as z from 'zod';
import { deed } from './deed.ts';

/** A Dedicated Host is there, or no more. */
export const host = deed({
  name: 'host',
  path: '/hosts',
  value: z.strictObject({
    id: z.string().regex(/^h-[0-9a-f]+$/),
    az: z.string(),
    autoPlacement: z.boolean(),
    exists: z.boolean(),
  }),
  perform: ({ sim }, { exists, ...wanted }) => {
    sim.setHost(wanted, exists);
    return true;
  },
});
