import * as z from 'zod';
import { deed } from './deed.ts';

/** Makes a hosted zone of Route 53. */
export const hostedZone = deed({
  name: 'hostedZone',
  path: '/route53/zones',
  value: z.strictObject({
    name: z.string().min(1).max(255),
    /** A private zone, seen from these VPCs. */
    vpcIds: z.array(z.string()).max(20).default([]),
  }),
  perform: ({ sim }, wanted) => ({ zone: { id: sim.dns.make(wanted).id } }),
});
