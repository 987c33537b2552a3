import type {
  CreateTagsRequest,
  DeleteTagsRequest,
  DescribeTagsRequest,
  DescribeTagsResult,
  ResourceType,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable } from '../filters.ts';
import { ID_KINDS, type IdKindName, need } from '../lookup.ts';
import type { SimTags } from '../model.ts';
import { page } from '../pages.ts';
import type { ResourceStore } from '../resource-store.ts';
import { withTags } from '../tags.ts';
import type { Call, Region } from '../region.ts';

type Tagged = { readonly id: string; readonly tags: SimTags };

const RESOURCE_TYPES: Readonly<Record<IdKindName, ResourceType>> = {
  instance: 'instance',
  volume: 'volume',
  snapshot: 'snapshot',
  image: 'image',
  networkInterface: 'network-interface',
  address: 'elastic-ip',
  subnet: 'subnet',
  vpc: 'vpc',
  securityGroup: 'security-group',
  capacityReservation: 'capacity-reservation',
  routeTable: 'route-table',
  replaceRootVolumeTask: 'replace-root-volume-task',
};

function stores(region: Region): readonly (readonly [IdKindName, ResourceStore<Tagged>])[] {
  const of = (kind: IdKindName, store: unknown) => [kind, store as ResourceStore<Tagged>] as const;
  return [
    of('instance', region.instances),
    of('volume', region.volumes),
    of('snapshot', region.snapshots),
    of('image', region.images),
    of('networkInterface', region.networkInterfaces),
    of('address', region.addresses),
    of('subnet', region.subnets),
    of('vpc', region.vpcs),
    of('securityGroup', region.securityGroups),
    of('capacityReservation', region.capacityReservations),
    of('routeTable', region.routeTables),
    of('replaceRootVolumeTask', region.replaceRootVolumeTasks),
  ];
}

function resources(
  region: Region,
  call: Call,
  ids: readonly string[] | undefined,
): (readonly [ResourceStore<Tagged>, Tagged])[] {
  if (!ids || ids.length === 0) {
    throw new Ec2Error('MissingParameter', 'The request must contain the parameter ResourceId');
  }
  return [...new Set(ids)].map((id) => {
    const entry = stores(region).find(([kind]) => id.startsWith(`${ID_KINDS[kind].prefix}-`));
    if (!entry) throw new Ec2Error('InvalidID', `The ID '${id}' is not valid`);
    return [entry[1], need(call, entry[1], entry[0], id)] as const;
  });
}

/** `CreateTags`. It overwrites, and is all or nothing. */
export function createTags(region: Region, call: Call, input: CreateTagsRequest): object {
  const found = resources(region, call, input.Resources);
  const tagged = found.map(([store, one]) => [store, one.id, withTags(one.tags, input.Tags ?? [])] as const);
  for (const [store, id, tags] of tagged) store.update(id, { tags }, region.nowMs, call.instant);
  return {};
}

/**
 * `DeleteTags`. A tag given with a value goes only where the value matches. Without tags, all of
 * them go.
 */
export function deleteTags(region: Region, call: Call, input: DeleteTagsRequest): object {
  for (const [store, one] of resources(region, call, input.Resources)) {
    const doomed = input.Tags;
    const tags = Object.fromEntries(
      Object.entries(one.tags).filter(
        ([key, value]) =>
          doomed !== undefined && !doomed.some((tag) => tag.Key === key && (tag.Value ?? value) === value),
      ),
    );
    store.update(one.id, { tags }, region.nowMs, call.instant);
  }
  return {};
}

interface TagRow {
  readonly id: string;
  readonly key: string;
  readonly value: string;
  readonly resourceId: string;
  readonly type: ResourceType;
  readonly tags: SimTags;
}

const TAG_FILTERS: FilterTable<TagRow> = {
  key: (row) => [row.key],
  value: (row) => [row.value],
  'resource-id': (row) => [row.resourceId],
  'resource-type': (row) => [row.type],
};

export function describeTags(region: Region, call: Call, input: DescribeTagsRequest): DescribeTagsResult {
  const rows = stores(region).flatMap(([kind, store]) =>
    store.allSeen(call).flatMap((one) =>
      Object.entries(one.tags).map(([key, value]): TagRow => {
        const id = `${one.id}/${key}`;
        return { id, key, value, resourceId: one.id, type: RESOURCE_TYPES[kind], tags: { [key]: value } };
      }),
    ),
  );
  const matching = applyFilters(rows, input.Filters, TAG_FILTERS);
  const { items, nextToken } = page('DescribeTags', matching, input, { min: 5, max: 1_000 });
  return {
    NextToken: nextToken,
    Tags: items.map((row) => ({ Key: row.key, Value: row.value, ResourceId: row.resourceId, ResourceType: row.type })),
  };
}
