import * as z from 'zod';
import { deed } from './deed.ts';

/** Ends a fault, by its id. */
export const clearFault = deed({
  name: 'clearFault',
  path: '/faults/:id/clear',
  value: z.string().min(1),
  otherwise: 'no fault of that id',
  requested: ({ id }) => id,
  perform: ({ sim }, id) => {
    const isThere = sim.faults().some((one) => one.id === id);
    sim.removeFault(id);
    return isThere;
  },
});
