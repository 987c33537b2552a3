import * as z from 'zod';
import { instanceDeed } from './deed.ts';

/** Its status checks that fail from now on. */
export const checks = instanceDeed({
  name: 'checks',
  path: 'checks',
  fields: { failed: z.array(z.enum(['system', 'instance', 'attached-ebs'])).max(3) },
  otherwise: 'no instance of that id',
  perform: ({ sim }, id, { failed }) => sim.setImpairedChecks(id, failed),
});
