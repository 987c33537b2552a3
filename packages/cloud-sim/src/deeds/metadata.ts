import * as z from 'zod';
import { instanceDeed } from './deed.ts';

const SpotActionSchema = z.strictObject({
  action: z.enum(['stop', 'terminate', 'hibernate']),
  time: z.string(),
});
const MaintenanceSchema = z.strictObject({
  Code: z.string(),
  Description: z.string(),
  EventId: z.string(),
  NotBefore: z.string(),
  NotAfter: z.string(),
  State: z.string(),
});

/** How its metadata service misbehaves, and what it announces; the bus tells of Spot, too. */
export const metadata = instanceDeed({
  name: 'metadata',
  path: 'imds',
  fields: {
    unreachable: z.boolean().exactOptional(),
    throttled: z.boolean().exactOptional(),
    spotAction: SpotActionSchema.exactOptional(),
    rebalanceNoticeTime: z.string().exactOptional(),
    maintenance: z.array(MaintenanceSchema).max(20).exactOptional(),
  },
  otherwise: 'no metadata listener for that id',
  perform: ({ sim, imds }, id, faults) => {
    if (faults.spotAction) sim.tellInterruption(id, faults.spotAction.action);
    if (faults.rebalanceNoticeTime !== undefined) sim.tellRebalance(id);
    const isTold = faults.spotAction !== undefined || faults.rebalanceNoticeTime !== undefined;
    return imds === null ? isTold : imds.setFaults(id, faults);
  },
});
