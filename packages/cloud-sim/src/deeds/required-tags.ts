import * as z from 'zod';
import { deed } from './deed.ts';

/** What everything made must be tagged with. */
export const requiredTags = deed({
  name: 'requiredTags',
  path: '/required-tags',
  value: z.strictObject({ keys: z.array(z.string().min(1)).max(50) }),
  perform: ({ sim }, { keys }) => {
    sim.setRequiredTags(keys);
    return true;
  },
});
