import * as z from 'zod';
import { instanceDeed } from './deed.ts';

/** Registers the agent of Systems Manager on an instance, and says how it fares. */
export const managed = instanceDeed({
  name: 'managed',
  path: 'managed',
  fields: {
    /** Its way to the service is cut. */
    cutOff: z.boolean().optional(),
    /** It stands still with what it has fetched; false: it goes on, and runs that. */
    frozen: z.boolean().optional(),
  },
  otherwise: 'no such instance',
  perform: ({ sim }, instanceId, { cutOff, frozen }) =>
    sim.setManaged(instanceId, { ...(cutOff !== undefined && { cutOff }), ...(frozen !== undefined && { frozen }) }),
});
