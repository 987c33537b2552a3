import * as z from 'zod';
import type { MoveWatch } from './move-watch.ts';

const PlaceSchema = z.object({ networkInterfaceId: z.string(), privateIp: z.string().nullable() });
const RecordSchema = z.object({
  request: z.object({ networkInterfaceId: z.string(), privateIp: z.string().optional() }),
  result: z.object({ associationId: z.string() }),
});

/** An Elastic IP, where its step has associated it. */
export const elasticIpWatch: MoveWatch = {
  placeOf: (record) => {
    const read = RecordSchema.safeParse(record);
    if (!read.success) return null;
    const { networkInterfaceId, privateIp = null } = read.data.request;
    return { networkInterfaceId, privateIp };
  },
  text: (item) => `the Elastic IP ${item}`,
  look: async ({ cloud }, { item, place, oldInstanceId }, options) => {
    const want = PlaceSchema.parse(place);
    const found = await cloud.describeAddresses({ 'allocation-id': [item] }, options);
    const seen = found.find((one) => one.allocationId === item);
    if (!seen) return { kind: 'unknown' };
    const { associationId, networkInterfaceId, instanceId, privateIp } = seen;
    if (associationId === null) return { kind: 'free' };
    const isOnIp = want.privateIp === null || privateIp === want.privateIp;
    if (networkInterfaceId === want.networkInterfaceId && isOnIp) return { kind: 'there' };
    if (instanceId === oldInstanceId) return { kind: 'retired', from: associationId };
    return { kind: 'elsewhere', holder: instanceId ?? networkInterfaceId ?? 'something else' };
  },
  takeOff: ({ cloud }, _watched, associationId, options) => cloud.disassociateAddress(associationId, options),
  putBack: async ({ cloud }, { item, place }, options) => {
    const { networkInterfaceId, privateIp } = PlaceSchema.parse(place);
    await cloud.associateAddress({ allocationId: item, networkInterfaceId, privateIp }, options);
  },
};
