import * as z from 'zod';
import { deed } from './deed.ts';

/** Whether API calls are told. */
export const trail = deed({
  name: 'trail',
  path: '/events-bus/trail',
  value: z.strictObject({ on: z.boolean() }),
  perform: ({ sim }, { on }) => {
    sim.events.hasTrail = on;
    return true;
  },
});
