import * as z from 'zod';
import { deed } from './deed.ts';

/** Whether refusals of a batch come in the older form, of which the SDK reads nothing. */
export const recordRefusals = deed({
  name: 'recordRefusals',
  path: '/route53/error-form',
  value: z.strictObject({ messages: z.boolean() }),
  perform: ({ sim }, { messages }) => {
    sim.dns.refusesInMessages = messages;
    return true;
  },
});
