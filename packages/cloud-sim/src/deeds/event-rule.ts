import * as z from 'zod';
import type { EventPattern } from '../core/event-bus/event-bus.ts';
import { deed } from './deed.ts';

const PatternSchema: z.ZodType<EventPattern> = z.lazy(() =>
  z.record(z.string(), z.union([z.array(z.string()), PatternSchema])),
);

/** Which events go to which queue. */
export const eventRule = deed({
  name: 'eventRule',
  path: '/events-bus/rules',
  value: z.strictObject({
    name: z.string().regex(/^[\w.-]{1,64}$/),
    ...{ pattern: PatternSchema, queueArn: z.string() },
    deadLetterArn: z.string().nullable().default(null),
    bus: z.string().default('default'),
  }),
  perform: ({ sim }, rule) => ({ rule: { arn: sim.events.putRule(rule) } }),
});
