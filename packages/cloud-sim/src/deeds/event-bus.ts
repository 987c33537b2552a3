import * as z from 'zod';
import { deed } from './deed.ts';

/** A bus beside the default one. */
export const eventBus = deed({
  name: 'eventBus',
  path: '/events-bus/buses',
  value: z.strictObject({ name: z.string().regex(/^[\w./-]{1,256}$/) }),
  perform: ({ sim }, { name }) => ({ bus: { arn: sim.events.addBus(name) } }),
});
