import * as z from 'zod';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { deed } from './deed.ts';
import { hostedZoneIdOf } from './hosted-zone-of.ts';

/** Somebody else sets a record of Route 53. */
export const record = deed({
  name: 'record',
  path: '/route53/records',
  value: z.strictObject({
    zoneId: z.string(),
    /** A ResourceRecordSet, in the SDK's names. */
    record: z.looseObject({ Name: z.string(), Type: z.string() }),
  }),
  otherwise: 'no zone of that id',
  perform: ({ sim }, wanted) => {
    const id = hostedZoneIdOf(sim, wanted.zoneId);
    if (id !== undefined) sim.dns.setRecord(id, wanted.record as unknown as ResourceRecordSet);
    return id !== undefined;
  },
});
