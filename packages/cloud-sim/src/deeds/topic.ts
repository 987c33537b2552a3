import * as z from 'zod';
import { deed } from './deed.ts';

/** A topic with the queues that are told; `.fifo` at the end of its name makes it one. */
export const topic = deed({
  name: 'topic',
  path: '/sns/topics',
  value: z.strictObject({
    name: z.string().regex(/^[\w-]{1,256}(?:\.fifo)?$/),
    subscriptions: z
      .array(
        z.strictObject({
          ...{ queueArn: z.string(), isRaw: z.boolean().default(false) },
          filter: z.record(z.string(), z.array(z.string())).default({}),
        }),
      )
      .default([]),
    isContentDeduplicated: z.boolean().default(false),
    kmsKey: z.string().nullable().default(null),
  }),
  perform: ({ sim }, wanted) => ({ topic: { arn: sim.topics.make(wanted).arn } }),
});
