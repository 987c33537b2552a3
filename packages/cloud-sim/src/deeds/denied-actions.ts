import * as z from 'zod';
import { deed } from './deed.ts';

/** The actions that answer UnauthorizedOperation from now on. */
export const deniedActions = deed({
  name: 'deniedActions',
  path: '/denied-actions',
  value: z.strictObject({ actions: z.array(z.string().min(1)).max(500) }),
  perform: ({ sim }, { actions }) => {
    sim.setDeniedActions(actions);
    return true;
  },
});
