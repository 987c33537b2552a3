import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { normalisedDnsName } from '@understudy/shared';
import * as z from 'zod';
import { canonical } from '../token-table.ts';
import { protectionKey, recordKey, type SimZone } from './zones.ts';

/** Route 53 Developer Guide, quotas on ChangeResourceRecordSets. UPSERT counts twice. */
const RECORDS_MAX = 1_000;
const CHARACTERS_MAX = 32_000;
const VALUES_MAX = 400;

type Records = Map<string, ResourceRecordSet>;

const named = ({ Name, Type, SetIdentifier }: Partial<ResourceRecordSet>): string =>
  `[name='${normalisedDnsName(Name ?? '')}', type='${Type}'${SetIdentifier === undefined ? '' : `, set-identifier='${SetIdentifier}'`}]`;

const weightOf = ({ Action }: Change): number => (Action === 'UPSERT' ? 2 : 1);

const valuesOf = (record: Partial<ResourceRecordSet>): readonly string[] =>
  (record.ResourceRecords ?? []).map((one) => one.Value ?? '');

/** What the changes of a batch cost of the change throughput. */
export const costOf = (changes: readonly Change[]): number =>
  changes.reduce((sum, change) => sum + weightOf(change), 0);

/** The same, whatever the order of its values. */
const comparable = (record: ResourceRecordSet): string =>
  canonical({ ...record, Name: normalisedDnsName(record.Name ?? ''), ResourceRecords: [...valuesOf(record)].sort() });

function limitFaults(changes: readonly Change[]): readonly string[] {
  const records = changes.reduce(
    (sum, one) => sum + weightOf(one) * Math.max(1, valuesOf(one.ResourceRecordSet ?? {}).length),
    0,
  );
  const characters = changes.reduce(
    (sum, one) => sum + weightOf(one) * valuesOf(one.ResourceRecordSet ?? {}).join('').length,
    0,
  );
  return [
    ...(records > RECORDS_MAX ? [`Number of records limit of ${RECORDS_MAX} exceeded.`] : []),
    ...(characters > CHARACTERS_MAX ? [`Number of characters limit of ${CHARACTERS_MAX} exceeded.`] : []),
  ];
}

const CHECKED: Readonly<Record<string, readonly [(value: string) => boolean, string]>> = {
  A: [(value) => z.ipv4().safeParse(value).success, 'ARRDATAIllegalIPv4Address'],
  AAAA: [(value) => z.ipv6().safeParse(value).success, 'AAAARRDATAIllegalIPv6Address'],
};

/** What a record set of its own is refused for. */
function shapeFaults(zone: SimZone, record: ResourceRecordSet): readonly string[] {
  const name = normalisedDnsName(record.Name ?? '');
  const values = valuesOf(record);
  const [isValid, code] = CHECKED[record.Type ?? ''] ?? [() => true, ''];
  const bad = values.find((value) => !isValid(value));
  const isRouted = [record.Weight, record.Failover, record.Region, record.MultiValueAnswer].some(
    (one) => one !== undefined,
  );
  return [
    ...(name === zone.name || name.endsWith(`.${zone.name}`)
      ? []
      : [`RRSet with DNS name ${name} is not permitted in zone ${zone.name}`]),
    ...(record.AliasTarget === undefined && (record.TTL === undefined || values.length === 0)
      ? [
          `Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]] in ${named(record)}`,
        ]
      : []),
    ...(isRouted === (record.SetIdentifier !== undefined)
      ? []
      : [`Invalid request: Missing field 'SetIdentifier' or a routing policy in ${named(record)}`]),
    ...(values.length > VALUES_MAX ? [`Number of values limit of ${VALUES_MAX} exceeded.`] : []),
    ...(new Set(values).size === values.length ? [] : [`Duplicate Resource Record: ${named(record)}`]),
    ...(bad === undefined
      ? []
      : [`Invalid Resource Record: 'FATAL problem: ${code} (Value is not valid) encountered with '${bad}''`]),
  ];
}

/** A simple set does not stand beside sets of the same name and type, nor a CNAME beside others. */
function neighbourFault(records: Records, record: ResourceRecordSet): string | null {
  const key = recordKey(record);
  const name = normalisedDnsName(record.Name ?? '');
  const others = [...records].filter(([other, one]) => other !== key && one.Name === name).map(([, one]) => one);
  const isSimple = record.SetIdentifier === undefined;
  const mixed = others.some((one) => one.Type === record.Type && (isSimple || one.SetIdentifier === undefined));
  if (mixed)
    return `RRSet with DNS name ${name}, type ${record.Type}, SetIdentifier ${record.SetIdentifier ?? ''} cannot be created as other RRSets exist with the same name and type.`;
  const clashes = others.some((one) => (one.Type === 'CNAME') !== (record.Type === 'CNAME'));
  return clashes
    ? `RRSet of type ${record.Type} with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone`
    : null;
}

/** The records after one change, or why it cannot be made. */
function changed(zone: SimZone, records: Records, { Action, ResourceRecordSet: wanted }: Change): readonly string[] {
  if (!wanted) return ['Invalid request: a change without ResourceRecordSet'];
  const record = { ...wanted, Name: normalisedDnsName(wanted.Name ?? '') };
  if (zone.protections.has(protectionKey(record.Name, record.Type ?? '')))
    return [`The resource record set ${named(record)} is protected`];
  const key = recordKey(record);
  const current = records.get(key);
  if (Action === 'DELETE') {
    if (!current) return [`Tried to delete resource record set ${named(record)} but it was not found`];
    if (comparable(current) !== comparable(record))
      return [
        `Tried to delete resource record set ${named(record)} but the values provided do not match the current values`,
      ];
    records.delete(key);
    return [];
  }
  if (Action === 'CREATE' && current)
    return [`Tried to create resource record set ${named(record)} but it already exists`];
  const neighbour = neighbourFault(records, record);
  const faults = [...shapeFaults(zone, record), ...(neighbour === null ? [] : [neighbour])];
  if (faults.length === 0) records.set(key, record);
  return faults;
}

/**
 * All changes in order, all or none (API reference, ChangeResourceRecordSets). Pure: the zone stays
 * as it is.
 */
export function applyBatch(
  zone: SimZone,
  changes: readonly Change[],
): { readonly records: ReadonlyMap<string, ResourceRecordSet> } | { readonly faults: readonly string[] } {
  const records: Records = new Map(zone.records);
  const faults = [...limitFaults(changes), ...changes.flatMap((change) => changed(zone, records, change))];
  return faults.length > 0 ? { faults } : { records };
}
