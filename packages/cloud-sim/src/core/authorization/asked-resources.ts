import { rawListOf, rawOf, textOf } from '@understudy/shared';
import type { SimTags } from '../model.ts';
import { ACCOUNT_ID, type Region } from '../region.ts';
import type { AccessContext } from './access-request.ts';

/** A resource that a call is about, or makes. */
export interface AskedResource {
  readonly arn: string;
  readonly context: AccessContext;
}

type Input = Readonly<Record<string, unknown>>;

/** The ARNs of these name no account. */
const SHARED: ReadonlySet<string> = new Set(['image', 'snapshot']);

export const arnOf = (region: Region, type: string, id: string): string =>
  `arn:aws:ec2:${region.name}:${SHARED.has(type) ? '' : ACCOUNT_ID}:${type}/${id}`;

const prefixed = (prefix: string, tags: SimTags): AccessContext =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));

/** What a request gives as tags. AWS leaves the list of keys out where there is none. */
export const requestTags = (tags: SimTags): AccessContext =>
  Object.keys(tags).length === 0 ? {} : { ...prefixed('aws:RequestTag', tags), 'aws:TagKeys': Object.keys(tags) };

/** By the prefix of their ids. Tags are those it has now. */
const STORES = {
  i: { type: 'instance', tags: (region: Region, id: string) => region.instances.get(id)?.tags },
  vol: { type: 'volume', tags: (region: Region, id: string) => region.volumes.get(id)?.tags },
  snap: { type: 'snapshot', tags: (region: Region, id: string) => region.snapshots.get(id)?.tags },
  ami: { type: 'image', tags: (region: Region, id: string) => region.images.get(id)?.tags },
  eni: { type: 'network-interface', tags: (region: Region, id: string) => region.networkInterfaces.get(id)?.tags },
  eipalloc: { type: 'elastic-ip', tags: (region: Region, id: string) => region.addresses.get(id)?.tags },
  subnet: { type: 'subnet', tags: (region: Region, id: string) => region.subnets.get(id)?.tags },
  sg: { type: 'security-group', tags: (region: Region, id: string) => region.securityGroups.get(id)?.tags },
  cr: { type: 'capacity-reservation', tags: (region: Region, id: string) => region.capacityReservations.get(id)?.tags },
} as const;

const isPrefix = (prefix: string): prefix is keyof typeof STORES => Object.hasOwn(STORES, prefix);

/**
 * A resource that is there. Of one that is not there, EC2 says so itself: what IAM would say of it
 * is not documented, and drivers that delete twice under such policies see "not found".
 */
export function existing(region: Region, id: unknown): readonly AskedResource[] {
  const name = textOf(id) ?? '';
  const prefix = name.split('-')[0] ?? '';
  if (!isPrefix(prefix)) return [];
  const { type, tags } = STORES[prefix];
  const has = tags(region, name);
  return has === undefined ? [] : [{ arn: arnOf(region, type, name), context: prefixed('aws:ResourceTag', has) }];
}

export const existingAll = (region: Region, ids: unknown): readonly AskedResource[] =>
  (Array.isArray(ids) ? ids : []).flatMap((id) => existing(region, id));

/** The tags that a request gives to what it makes of this type. */
export function tagsGiven(input: Input, type: string): SimTags {
  const own = rawListOf(input['TagSpecifications']).find((one) => one['ResourceType'] === type);
  return Object.fromEntries(
    rawListOf(own?.['Tags']).map((tag) => [textOf(tag['Key']) ?? '', textOf(tag['Value']) ?? '']),
  );
}

/** A resource of this type that the call makes. It has no id yet. */
export const made = (region: Region, input: Input, type: string): AskedResource => ({
  arn: arnOf(region, type, '*'),
  context: requestTags(tagsGiven(input, type)),
});

/** The snapshots that block device mappings name. */
export const mappedSnapshots = (region: Region, input: Input): readonly AskedResource[] =>
  rawListOf(input['BlockDeviceMappings']).flatMap((one) => existing(region, rawOf(one['Ebs'])['SnapshotId']));
