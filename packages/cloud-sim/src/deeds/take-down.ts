import * as z from 'zod';
import { instanceDeed } from './deed.ts';

/** AWS stops or terminates it; `code` is of the StateReason. */
export const takeDown = instanceDeed({
  name: 'takeDown',
  path: 'take-down',
  fields: { code: z.string(), how: z.enum(['stop', 'terminate']) },
  otherwise: 'no running instance of that id',
  perform: ({ sim }, id, { code, how }) => sim.takeDown(id, code, how),
});
