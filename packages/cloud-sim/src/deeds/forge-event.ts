import * as z from 'zod';
import { deed, membersOf } from './deed.ts';

/** Puts an event on the bus that nobody's doing led to. */
export const forgeEvent = deed({
  name: 'forgeEvent',
  path: '/events-bus/forge',
  value: z.record(z.string(), z.unknown()),
  requested: (_params, body) => membersOf(body)['event'],
  perform: ({ sim }, event) => {
    sim.forgeEvent(event);
    return true;
  },
});
