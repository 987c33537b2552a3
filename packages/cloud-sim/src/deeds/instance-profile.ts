import * as z from 'zod';
import { deed } from './deed.ts';

/** Whether an instance profile of that name exists. */
export const instanceProfile = deed({
  name: 'instanceProfile',
  path: '/instance-profiles',
  value: z.strictObject({ name: z.string().min(1), exists: z.boolean() }),
  perform: ({ sim }, { name, exists }) => {
    sim.setInstanceProfile(name, exists);
    return true;
  },
});
