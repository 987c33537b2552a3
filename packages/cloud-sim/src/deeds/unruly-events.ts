import * as z from 'zod';
import { deed } from './deed.ts';

const share = z.number().min(0).max(1).default(0);

/** How badly the bus delivers from now on: shares of 0 to 1. */
export const unrulyEvents = deed({
  name: 'unrulyEvents',
  path: '/events-bus/unruly',
  value: z.strictObject({ lost: share, duplicated: share, late: share }),
  perform: ({ sim }, unruly) => {
    sim.events.unruly = unruly;
    return true;
  },
});
