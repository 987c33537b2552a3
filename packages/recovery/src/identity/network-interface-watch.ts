import * as z from 'zod';
import type { MoveWatch } from './move-watch.ts';

const PlaceSchema = z.object({
  networkInterfaceId: z.string(),
  instanceId: z.string(),
  deviceIndex: z.number(),
  networkCardIndex: z.number(),
});
const RecordSchema = z.object({ request: PlaceSchema, result: z.object({ attachmentId: z.string() }) });

/** A further interface, where its step has attached it. */
export const networkInterfaceWatch: MoveWatch = {
  placeOf: (record) => {
    const read = RecordSchema.safeParse(record);
    return read.success ? read.data.request : null;
  },
  text: (item) => `the network interface ${item}`,
  look: async ({ cloud }, { item, newInstanceId, oldInstanceId }, options) => {
    const found = await cloud.describeNetworkInterfaces({ 'network-interface-id': [item] }, options);
    const seen = found.find((one) => one.networkInterfaceId === item);
    if (!seen) return { kind: 'unknown' };
    const { attachment, attachedInstanceId, state } = seen;
    if (attachedInstanceId === newInstanceId) return { kind: 'there' };
    if (attachment === null) return state === 'available' ? { kind: 'free' } : { kind: 'unknown' };
    if (attachedInstanceId === oldInstanceId) return { kind: 'retired', from: attachment.attachmentId };
    return { kind: 'elsewhere', holder: attachedInstanceId ?? 'something that is no instance' };
  },
  takeOff: ({ cloud }, _watched, attachmentId, options) => cloud.detachNetworkInterface(attachmentId, options),
  putBack: async ({ cloud }, { place }, options) => {
    await cloud.attachNetworkInterface(PlaceSchema.parse(place), options);
  },
};
