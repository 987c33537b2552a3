import * as z from 'zod';
import { UnrulySchema } from './unruly-queue.ts';
import { deed } from './deed.ts';

const QueueSchema = z.strictObject({
  name: z.string().regex(/^[\w-]{1,80}$/),
  visibilityTimeoutMs: z.number().min(0).max(43_200_000).default(30_000),
  deadLetter: z
    .strictObject({ arn: z.string(), afterReceives: z.number().int().min(1).max(1_000) })
    .nullable()
    .default(null),
  policy: z.record(z.string(), z.unknown()).nullable().default(null),
  unruly: UnrulySchema.prefault({}),
});

/** Makes a queue of SQS. One of the same name is replaced, with all that is in it. */
export const queue = deed({
  name: 'queue',
  path: '/sqs/queues',
  value: QueueSchema,
  perform: ({ sim }, { unruly, policy, ...settings }) => {
    const made = sim.queues.make({ ...settings, policy: policy === null ? null : JSON.stringify(policy) });
    made.unruly = unruly;
    return { queue: { url: made.url, arn: made.arn } };
  },
});
