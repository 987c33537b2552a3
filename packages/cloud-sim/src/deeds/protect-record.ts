import * as z from 'zod';
import { deed } from './deed.ts';
import { hostedZoneIdOf } from './hosted-zone-of.ts';

/** Nobody may change what has this name and type. */
export const protectRecord = deed({
  name: 'protectRecord',
  path: '/route53/protections',
  value: z.strictObject({ zoneId: z.string(), name: z.string(), type: z.string(), on: z.boolean() }),
  otherwise: 'no zone of that id',
  perform: ({ sim }, { zoneId, name, type, on }) => {
    const id = hostedZoneIdOf(sim, zoneId);
    if (id !== undefined) sim.dns.protect(id, name, type, on);
    return id !== undefined;
  },
});
