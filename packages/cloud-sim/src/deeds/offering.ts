import * as z from 'zod';
import { deed } from './deed.ts';

/** Whether a type is sold in a zone. */
export const offering = deed({
  name: 'offering',
  path: '/offerings',
  value: z.strictObject({ az: z.string(), instanceType: z.string(), offered: z.boolean() }),
  perform: ({ sim }, { az, instanceType, offered }) => {
    sim.setOffered(az, instanceType, offered);
    return true;
  },
});
