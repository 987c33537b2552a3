import * as z from 'zod';
import { deed } from './deed.ts';

/** Somebody puts a message into a queue, as anybody might who may. */
export const queueMessage = deed({
  name: 'queueMessage',
  path: '/sqs/messages',
  value: z.strictObject({ name: z.string(), body: z.string().min(1).max(1_048_576) }),
  otherwise: 'no queue of that name',
  perform: ({ sim }, { name, body }) => {
    const isThere = sim.queues.byName(name) !== undefined;
    if (isThere) sim.sendToQueue(name, body);
    return isThere;
  },
});
