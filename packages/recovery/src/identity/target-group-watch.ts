import * as z from 'zod';
import { OperationError, type RegisteredTarget, type TargetGroups } from '@understudy/shared';
import { isIn, targetMove } from '../core/target-move.ts';
import { whoHolds } from './address-holders.ts';
import type { MoveWatch, Services } from './move-watch.ts';

const target = z.object({
  id: z.string(),
  port: z.number(),
  az: z.string().nullable(),
  quicServerId: z.string().nullable(),
});
const targets = z.array(target);
const PlaceSchema = z.object({ targetGroupArn: z.string(), fresh: targets, old: targets });
const RecordSchema = z.object({
  request: PlaceSchema,
  result: z.union([z.object({ healthy: z.literal(true) }), z.object({ unused: z.string() })]),
});

const groupsOf = ({ targetGroups }: Services): TargetGroups => {
  if (targetGroups) return targetGroups;
  throw new OperationError('CLOUD_UNAVAILABLE', 'this coordinator is not set up to ask Elastic Load Balancing');
};

/** An id of an instance is never anybody else's. */
const addressesOf = (old: readonly RegisteredTarget[], within: ReadonlySet<string>): readonly string[] => [
  ...new Set(old.map(({ id }) => id).filter((id) => !id.startsWith('i-') && within.has(id))),
];

/**
 * The registrations of a group, where its step has put the replacement in and the failed instance
 * out. **S** (S12) Only registrations of the retired instance are taken out, by their very id and
 * port. Whether the replacement is healthy is the balancer's matter.
 */
export const targetGroupWatch: MoveWatch = {
  placeOf: (record) => {
    const read = RecordSchema.safeParse(record);
    return read.success ? read.data.request : null;
  },
  text: (item) => `the registration in the target group ${item}`,
  look: async ({ cloud, targetGroups }, watched, options) => {
    if (!targetGroups) return { kind: 'unknown' };
    const { member, oldInstanceId, newInstanceId } = watched;
    const { targetGroupArn, fresh, old } = PlaceSchema.parse(watched.place);
    const seen = await targetGroups.describeTargets(targetGroupArn, options);
    const addresses = addressesOf(old, new Set(seen.filter(isIn).map((one) => one.id)));
    const instances = await cloud.describeInstances({ 'instance-id': [newInstanceId] }, options);
    const replacement = instances.find((one) => one.instanceId === newInstanceId);
    if (!replacement) return { kind: 'unknown' };
    const held = await whoHolds((call) => call(cloud, options), { member, oldInstanceId, replacement, addresses });
    const move = targetMove(seen, { fresh, old }, held);
    if (move.kind !== 'change') return { kind: 'there' };
    return move.remove.length > 0 ? { kind: 'retired', from: JSON.stringify(move.remove) } : { kind: 'free' };
  },
  takeOff: async (services, { place }, from, options) => {
    const { targetGroupArn } = PlaceSchema.parse(place);
    await groupsOf(services).deregisterTargets(targetGroupArn, targets.parse(JSON.parse(from)), options);
  },
  putBack: async (services, { place }, options) => {
    const { targetGroupArn, fresh } = PlaceSchema.parse(place);
    await groupsOf(services).registerTargets(targetGroupArn, fresh, options);
  },
};
