import * as z from 'zod';
import { ASSIGNED_FILTERS } from './assigned-filters.ts';
import type { MoveWatch } from './move-watch.ts';

const PlaceSchema = z.object({
  kind: z.enum(['secondary-ip', 'ipv6-address', 'ipv4-prefix', 'ipv6-prefix']),
  address: z.string(),
  networkInterfaceId: z.string(),
});
const RecordSchema = z.object({ request: PlaceSchema, result: z.object({ networkInterfaceId: z.string() }) });

/** An assigned address or prefix, where its step has assigned it. */
export const assignedWatch: MoveWatch = {
  placeOf: (record) => {
    const read = RecordSchema.safeParse(record);
    return read.success ? PlaceSchema.parse(read.data.request) : null;
  },
  text: (item) => `the address ${item.replace('_', '/')}`,
  look: async ({ cloud }, { place, oldInstanceId }, options) => {
    const { kind, address, networkInterfaceId } = PlaceSchema.parse(place);
    const own = await cloud.describeNetworkInterfaces({ 'network-interface-id': [networkInterfaceId] }, options);
    const target = own.find((one) => one.networkInterfaceId === networkInterfaceId);
    if (!target) return { kind: 'unknown' };
    if (target.assigned[kind].includes(address)) return { kind: 'there' };
    const filter = ASSIGNED_FILTERS[kind];
    // EC2 has no filter for prefixes: an assignment is refused where somebody has it.
    if (filter === undefined) return { kind: 'free' };
    const having = await cloud.describeNetworkInterfaces(
      { [filter]: [address], 'subnet-id': [target.subnetId] },
      options,
    );
    const holder = having.find((one) => one.assigned[kind].includes(address) || one.privateIp === address);
    if (!holder) return { kind: 'free' };
    const isRetired = holder.attachedInstanceId === oldInstanceId && holder.privateIp !== address;
    if (isRetired) return { kind: 'retired', from: holder.networkInterfaceId };
    return { kind: 'elsewhere', holder: holder.attachedInstanceId ?? holder.networkInterfaceId };
  },
  takeOff: ({ cloud }, { place }, networkInterfaceId, options) =>
    cloud.unassignAddress({ ...PlaceSchema.parse(place), networkInterfaceId }, options),
  putBack: ({ cloud }, { place }, options) => cloud.assignAddress(PlaceSchema.parse(place), options),
};
