import * as z from 'zod';
import { type CloudInstance, type DnsRecordSet, OperationError } from '@understudy/shared';
import type { Found } from '../core/ownership.ts';
import { freshOf } from '../core/record-move.ts';
import { whoHolds } from './address-holders.ts';
import type { MoveWatch } from './move-watch.ts';

const exact = z.record(z.string(), z.unknown());
const PlaceSchema = z.object({
  zoneId: z.string(),
  name: z.string(),
  type: z.string(),
  setIdentifier: z.string().nullable(),
  /** Value of the record → what took its place. */
  becomes: z.record(z.string(), z.string()),
});
type Place = z.infer<typeof PlaceSchema>;

const RecordSchema = z.object({
  request: z.object({
    zoneId: z.string(),
    becomes: PlaceSchema.shape.becomes,
    fresh: z.looseObject({ Name: z.string(), Type: z.string(), SetIdentifier: z.string().optional() }),
  }),
  result: z.object({ insync: z.boolean() }),
});

/** What is not simply somebody else's is said in words. */
const left = (holder: string, text: string): Found => ({ kind: 'elsewhere', holder, text });

/** The values that are the retired instance's, and not the replacement's. */
const staleOf = ({ becomes }: Place, { values }: DnsRecordSet): readonly string[] => {
  const wanted = new Set(Object.values(becomes));
  return values.filter((value) => becomes[value] !== undefined && !wanted.has(value));
};

/**
 * Where the record points. A record that somebody has removed, or pointed at somebody else, is
 * theirs; only one that names the retired instance again is put right.
 */
function foundOf(place: Place, seen: DnsRecordSet | null, { privateIp, publicIp, instanceId }: CloudInstance): Found {
  if (seen === null) return left('nobody', 'the record was removed: whoever removed it means it');
  const own = new Set([privateIp, publicIp]);
  const wanted = Object.values(place.becomes);
  const says = seen.values.length === 0 ? 'an alias' : seen.values.join(', ');
  if (staleOf(place, seen).length > 0) {
    const gone = wanted.find((one) => !own.has(one));
    if (gone === undefined) return { kind: 'retired', from: JSON.stringify(seen.exact) };
    return left(says, `${instanceId} has not ${gone} any more: there is nothing it could be put back to`);
  }
  if (wanted.every((one) => seen.values.includes(one)) || seen.values.some((one) => own.has(one)))
    return { kind: 'there' };
  return { kind: 'elsewhere', holder: says };
}

/**
 * A record, where its step has pointed it. **S** (S12) It is put right by the batch that takes away
 * exactly the set that was seen, so a record that has changed since, or a call that lands late,
 * changes nothing.
 */
export const dnsRecordWatch: MoveWatch = {
  placeOf: (record) => {
    const read = RecordSchema.safeParse(record);
    if (!read.success) return null;
    const { zoneId, becomes, fresh } = read.data.request;
    return { zoneId, name: fresh.Name, type: fresh.Type, setIdentifier: fresh.SetIdentifier ?? null, becomes };
  },
  text: (item) => `the record ${item}`,
  look: async ({ cloud, dns }, watched, options) => {
    if (!dns) return { kind: 'unknown' };
    const { member, oldInstanceId, newInstanceId } = watched;
    const place = PlaceSchema.parse(watched.place);
    const sets = await dns.describeRecords(place.zoneId, place, options);
    const seen = sets.find((one) => one.setIdentifier === place.setIdentifier) ?? null;
    const instances = await cloud.describeInstances({ 'instance-id': [newInstanceId] }, options);
    const replacement = instances.find((one) => one.instanceId === newInstanceId);
    if (!replacement) return { kind: 'unknown' };
    const found = foundOf(place, seen, replacement);
    if (found.kind !== 'retired' || seen === null) return found;
    const addresses = staleOf(place, seen);
    const held = await whoHolds((call) => call(cloud, options), { member, oldInstanceId, replacement, addresses });
    return held.size === 0 ? found : left(addresses.join(', '), [...held.values()].join(', '));
  },
  takeOff: async ({ dns }, { place, newInstanceId }, from, options) => {
    if (!dns) throw new OperationError('CLOUD_UNAVAILABLE', 'this coordinator is not set up to ask Route 53');
    const { zoneId, becomes } = PlaceSchema.parse(place);
    const old = exact.parse(JSON.parse(from));
    const comment = `understudy: put back to ${newInstanceId}`;
    await dns.swapRecord({ zoneId, old, fresh: freshOf(old, becomes), comment }, options);
  },
  putBack: async () => undefined,
};
