import * as z from 'zod';
import { deed } from './deed.ts';

const share = z.number().min(0).max(1).default(0);

/** Shares of 0 to 1: what comes twice, comes back after its deletion, or is not seen. */
export const UnrulySchema = z.strictObject({ redelivered: share, afterDelete: share, missed: share });

/** How badly a queue behaves from now on. */
export const unrulyQueue = deed({
  name: 'unrulyQueue',
  path: '/sqs/unruly',
  value: z.strictObject({ name: z.string(), unruly: UnrulySchema }),
  otherwise: 'no queue of that name',
  perform: ({ sim }, { name, unruly }) => {
    const found = sim.queues.byName(name);
    if (found) found.unruly = unruly;
    return found !== undefined;
  },
});
