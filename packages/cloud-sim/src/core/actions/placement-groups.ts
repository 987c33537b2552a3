import type {
  CreatePlacementGroupRequest,
  CreatePlacementGroupResult,
  DeletePlacementGroupRequest,
  DescribePlacementGroupsRequest,
  DescribePlacementGroupsResult,
  PlacementGroup,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import type { SimPlacementGroup } from '../model.ts';
import { tagsFor } from '../tags.ts';
import type { Call, Region } from '../region.ts';

const unknown = (name: string): Ec2Error =>
  new Ec2Error('InvalidPlacementGroup.Unknown', `The placement group '${name}' is unknown.`);

const seen = (region: Region, call: Call): readonly SimPlacementGroup[] =>
  call.instant ? region.placementGroups.all() : region.placementGroups.allSeen(call);

/**
 * Finds a group by its name or its id.
 * @throws InvalidPlacementGroup.Unknown
 */
export function needPlacementGroup(region: Region, call: Call, name: string): SimPlacementGroup {
  const found = seen(region, call).find((one) => one.id === name || one.groupId === name);
  if (!found || !region.placementGroups.has(found.id)) throw unknown(name);
  return found;
}

const FILTERS: FilterTable<SimPlacementGroup> = {
  'group-name': (one) => [one.id],
  strategy: (one) => [one.strategy],
  state: () => ['available'],
};

const view = (one: SimPlacementGroup): PlacementGroup => ({
  GroupName: one.id,
  GroupId: one.groupId,
  State: 'available',
  Strategy: one.strategy,
  Tags: tagList(one.tags),
});

export function describePlacementGroups(
  region: Region,
  call: Call,
  input: DescribePlacementGroupsRequest,
): DescribePlacementGroupsResult {
  const names = [...(input.GroupNames ?? []), ...(input.GroupIds ?? [])];
  const named = names.map((name) => needPlacementGroup(region, call, name));
  const found = applyFilters(names.length > 0 ? named : seen(region, call), input.Filters, FILTERS);
  return { PlacementGroups: found.map(view) };
}

export function putPlacementGroup(
  region: Region,
  call: Call,
  name: string,
  strategy: SimPlacementGroup['strategy'] = 'cluster',
  tags: SimPlacementGroup['tags'] = {},
): SimPlacementGroup {
  return region.placementGroups.put(
    { id: name, groupId: region.newId('pg'), strategy, tags },
    region.nowMs,
    call.instant,
  );
}

export function createPlacementGroup(
  region: Region,
  call: Call,
  input: CreatePlacementGroupRequest,
): CreatePlacementGroupResult {
  const name = input.GroupName ?? '';
  if (name === '') throw new Ec2Error('MissingParameter', 'The request must contain the parameter groupName');
  if (region.placementGroups.has(name)) {
    throw new Ec2Error('InvalidPlacementGroup.Duplicate', `The placement group '${name}' already exists.`);
  }
  const strategy = input.Strategy ?? 'cluster';
  if (strategy !== 'cluster' && strategy !== 'spread' && strategy !== 'partition')
    throw new Ec2Error('InvalidParameterValue', `Value (${strategy}) for parameter strategy is invalid.`);
  const made = putPlacementGroup(region, call, name, strategy, tagsFor(input.TagSpecifications, 'placement-group'));
  return { PlacementGroup: view(made) };
}

const isLive = (state: string): boolean => state !== 'terminated' && state !== 'shutting-down';

/** @throws InvalidPlacementGroup.InUse while an instance is in it, stopped ones included */
export function deletePlacementGroup(region: Region, call: Call, input: DeletePlacementGroupRequest): object {
  const group = needPlacementGroup(region, call, input.GroupName ?? '');
  const inUse = region.instances.all().some((one) => {
    const placement = one.request.Placement;
    return isLive(one.state) && (placement?.GroupName === group.id || placement?.GroupId === group.groupId);
  });
  if (inUse) throw new Ec2Error('InvalidPlacementGroup.InUse', `The placement group '${group.id}' is in use.`);
  region.placementGroups.remove(group.id, region.nowMs);
  return {};
}
