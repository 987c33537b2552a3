import type {
  CreateRouteRequest,
  CreateRouteResult,
  CreateRouteTableRequest,
  CreateRouteTableResult,
  DeleteRouteRequest,
  DeleteRouteTableRequest,
  DescribeRouteTablesRequest,
  DescribeRouteTablesResult,
  RouteTable,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import type { SimRoute, SimRouteTable } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor } from '../tags.ts';
import { ACCOUNT_ID, type Call, type World } from '../world.ts';

const instanceOf = (world: World, route: SimRoute): string | undefined =>
  world.networkInterfaces.get(route.networkInterfaceId)?.attachment?.instanceId;

/** A route to an interface that is gone, or that is attached to nothing that runs, leads nowhere. */
function stateOf(world: World, route: SimRoute): 'active' | 'blackhole' {
  const instanceId = instanceOf(world, route);
  return instanceId !== undefined && world.instances.get(instanceId)?.state === 'running' ? 'active' : 'blackhole';
}

const filters = (world: World): FilterTable<SimRouteTable> => ({
  'route-table-id': (one) => [one.id],
  'vpc-id': (one) => [one.vpcId],
  'route.instance-id': (one) => one.routes.map((route) => instanceOf(world, route)),
  'route.destination-cidr-block': (one) => one.routes.map((route) => route.destinationCidr),
});

const view = (world: World, one: SimRouteTable): RouteTable => ({
  RouteTableId: one.id,
  VpcId: one.vpcId,
  OwnerId: ACCOUNT_ID,
  Associations: [],
  PropagatingVgws: [],
  Tags: tagList(one.tags),
  Routes: one.routes.map((route) => ({
    DestinationCidrBlock: route.destinationCidr,
    NetworkInterfaceId: route.networkInterfaceId,
    InstanceId: instanceOf(world, route),
    InstanceOwnerId: ACCOUNT_ID,
    Origin: 'CreateRoute',
    State: stateOf(world, route),
  })),
});

export function describeRouteTables(
  world: World,
  call: Call,
  input: DescribeRouteTablesRequest,
): DescribeRouteTablesResult {
  const ids = input.RouteTableIds;
  const found = applyFilters(look(call, world.routeTables, 'routeTable', ids), input.Filters, filters(world));
  const { items, nextToken } = page('DescribeRouteTables', found, input, { min: 5, max: 100 }, ids);
  return { RouteTables: items.map((one) => view(world, one)), NextToken: nextToken };
}

export function createRouteTable(world: World, call: Call, input: CreateRouteTableRequest): CreateRouteTableResult {
  const { id: vpcId } = need(call, world.vpcs, 'vpc', input.VpcId);
  const tags = tagsFor(input.TagSpecifications, 'route-table');
  const made = world.routeTables.put({ id: world.newId('rtb'), vpcId, routes: [], tags }, world.nowMs, call.instant);
  return { RouteTable: view(world, made) };
}

export function deleteRouteTable(world: World, call: Call, input: DeleteRouteTableRequest): object {
  const { id } = need(call, world.routeTables, 'routeTable', input.RouteTableId);
  world.routeTables.remove(id, world.nowMs, call.instant);
  return {};
}

function interfaceFor(world: World, call: Call, input: CreateRouteRequest): string {
  if (input.NetworkInterfaceId !== undefined)
    return need(call, world.networkInterfaces, 'networkInterface', input.NetworkInterfaceId).id;
  const instance = need(call, world.instances, 'instance', input.InstanceId);
  const [first] = instance.networkInterfaceIds;
  if (first === undefined) throw new Ec2Error('InvalidInstanceID', `Instance ${instance.id} has no interface`);
  return first;
}

/** To an interface or an instance. @throws RouteAlreadyExists */
export function createRoute(world: World, call: Call, input: CreateRouteRequest): CreateRouteResult {
  const table = need(call, world.routeTables, 'routeTable', input.RouteTableId);
  const destinationCidr = input.DestinationCidrBlock ?? '';
  if (destinationCidr === '') throw new Ec2Error('MissingParameter', 'The request must contain a destination');
  if (table.routes.some((route) => route.destinationCidr === destinationCidr)) {
    throw new Ec2Error('RouteAlreadyExists', `The route identified by ${destinationCidr} already exists.`);
  }
  const networkInterfaceId = interfaceFor(world, call, input);
  const routes = [...table.routes, { destinationCidr, networkInterfaceId }];
  world.routeTables.update(table.id, { routes }, world.nowMs, call.instant);
  return { Return: true };
}

export function deleteRoute(world: World, call: Call, input: DeleteRouteRequest): object {
  const table = need(call, world.routeTables, 'routeTable', input.RouteTableId);
  const routes = table.routes.filter((route) => route.destinationCidr !== input.DestinationCidrBlock);
  if (routes.length === table.routes.length) {
    throw new Ec2Error('InvalidRoute.NotFound', `no route with destination-cidr-block ${input.DestinationCidrBlock}`);
  }
  world.routeTables.update(table.id, { routes }, world.nowMs, call.instant);
  return {};
}
