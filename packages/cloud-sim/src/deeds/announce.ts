import * as z from 'zod';
import { instanceDeed } from './deed.ts';

const EventSchema = z.strictObject({
  eventId: z.string(),
  code: z.string(),
  description: z.string(),
  notBeforeWallMs: z.number(),
});

/** The events that AWS has scheduled for it. */
export const announce = instanceDeed({
  name: 'announce',
  path: 'events',
  fields: { events: z.array(EventSchema).max(20) },
  otherwise: 'no instance of that id',
  perform: ({ sim }, id, { events }) => sim.setScheduledEvents(id, events),
});
