import * as z from 'zod';
import { deed } from './deed.ts';

/** How the name server of the machines answers. */
export const nameServer = deed({
  name: 'nameServer',
  path: '/dns',
  value: z.strictObject({ mode: z.enum(['answer', 'nxdomain', 'silent']) }),
  otherwise: 'no name server',
  perform: ({ dns }, { mode }) => {
    if (dns) dns.mode = mode;
    return dns !== null;
  },
});
