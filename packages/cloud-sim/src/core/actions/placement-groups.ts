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
import type { Call, World } from '../world.ts';

const unknown = (name: string): Ec2Error =>
  new Ec2Error('InvalidPlacementGroup.Unknown', `The placement group '${name}' is unknown.`);

const seen = (world: World, call: Call): readonly SimPlacementGroup[] =>
  call.instant ? world.placementGroups.all() : world.placementGroups.allSeen(call);

/** By its name or its id. @throws InvalidPlacementGroup.Unknown */
export function needPlacementGroup(world: World, call: Call, name: string): SimPlacementGroup {
  const found = seen(world, call).find((one) => one.id === name || one.groupId === name);
  if (!found || !world.placementGroups.has(found.id)) throw unknown(name);
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
  world: World,
  call: Call,
  input: DescribePlacementGroupsRequest,
): DescribePlacementGroupsResult {
  const names = [...(input.GroupNames ?? []), ...(input.GroupIds ?? [])];
  const named = names.map((name) => needPlacementGroup(world, call, name));
  const found = applyFilters(names.length > 0 ? named : seen(world, call), input.Filters, FILTERS);
  return { PlacementGroups: found.map(view) };
}

export function putPlacementGroup(
  world: World,
  call: Call,
  name: string,
  strategy: SimPlacementGroup['strategy'] = 'cluster',
  tags: SimPlacementGroup['tags'] = {},
): SimPlacementGroup {
  return world.placementGroups.put({ id: name, groupId: world.newId('pg'), strategy, tags }, world.nowMs, call.instant);
}

export function createPlacementGroup(
  world: World,
  call: Call,
  input: CreatePlacementGroupRequest,
): CreatePlacementGroupResult {
  const name = input.GroupName ?? '';
  if (name === '') throw new Ec2Error('MissingParameter', 'The request must contain the parameter groupName');
  if (world.placementGroups.has(name)) {
    throw new Ec2Error('InvalidPlacementGroup.Duplicate', `The placement group '${name}' already exists.`);
  }
  const strategy = input.Strategy ?? 'cluster';
  if (strategy !== 'cluster' && strategy !== 'spread' && strategy !== 'partition')
    throw new Ec2Error('InvalidParameterValue', `Value (${strategy}) for parameter strategy is invalid.`);
  const made = putPlacementGroup(world, call, name, strategy, tagsFor(input.TagSpecifications, 'placement-group'));
  return { PlacementGroup: view(made) };
}

const isLive = (state: string): boolean => state !== 'terminated' && state !== 'shutting-down';

/** @throws InvalidPlacementGroup.InUse while an instance is in it, stopped ones included */
export function deletePlacementGroup(world: World, call: Call, input: DeletePlacementGroupRequest): object {
  const group = needPlacementGroup(world, call, input.GroupName ?? '');
  const inUse = world.instances.all().some((one) => {
    const placement = one.request.Placement;
    return isLive(one.state) && (placement?.GroupName === group.id || placement?.GroupId === group.groupId);
  });
  if (inUse) throw new Ec2Error('InvalidPlacementGroup.InUse', `The placement group '${group.id}' is in use.`);
  world.placementGroups.remove(group.id, world.nowMs);
  return {};
}
