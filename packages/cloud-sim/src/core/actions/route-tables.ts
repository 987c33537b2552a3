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
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';

const instanceOf = (region: Region, route: SimRoute): string | undefined =>
  region.networkInterfaces.get(route.networkInterfaceId)?.attachment?.instanceId;

/**
 * A route to an interface that is gone, or that is attached to nothing that runs, leads nowhere.
 */
function stateOf(region: Region, route: SimRoute): 'active' | 'blackhole' {
  const instanceId = instanceOf(region, route);
  return instanceId !== undefined && region.instances.get(instanceId)?.state === 'running' ? 'active' : 'blackhole';
}

const filters = (region: Region): FilterTable<SimRouteTable> => ({
  'route-table-id': (one) => [one.id],
  'vpc-id': (one) => [one.vpcId],
  'route.instance-id': (one) => one.routes.map((route) => instanceOf(region, route)),
  'route.destination-cidr-block': (one) => one.routes.map((route) => route.destinationCidr),
});

const view = (region: Region, one: SimRouteTable): RouteTable => ({
  RouteTableId: one.id,
  VpcId: one.vpcId,
  OwnerId: ACCOUNT_ID,
  Associations: [],
  PropagatingVgws: [],
  Tags: tagList(one.tags),
  Routes: one.routes.map((route) => ({
    DestinationCidrBlock: route.destinationCidr,
    NetworkInterfaceId: route.networkInterfaceId,
    InstanceId: instanceOf(region, route),
    InstanceOwnerId: ACCOUNT_ID,
    Origin: 'CreateRoute',
    State: stateOf(region, route),
  })),
});

export function describeRouteTables(
  region: Region,
  call: Call,
  input: DescribeRouteTablesRequest,
): DescribeRouteTablesResult {
  const ids = input.RouteTableIds;
  const found = applyFilters(look(call, region.routeTables, 'routeTable', ids), input.Filters, filters(region));
  const { items, nextToken } = page('DescribeRouteTables', found, input, { min: 5, max: 100 }, ids);
  return { RouteTables: items.map((one) => view(region, one)), NextToken: nextToken };
}

export function createRouteTable(region: Region, call: Call, input: CreateRouteTableRequest): CreateRouteTableResult {
  const { id: vpcId } = need(call, region.vpcs, 'vpc', input.VpcId);
  const tags = tagsFor(input.TagSpecifications, 'route-table');
  const made = region.routeTables.put({ id: region.newId('rtb'), vpcId, routes: [], tags }, region.nowMs, call.instant);
  return { RouteTable: view(region, made) };
}

export function deleteRouteTable(region: Region, call: Call, input: DeleteRouteTableRequest): object {
  const { id } = need(call, region.routeTables, 'routeTable', input.RouteTableId);
  region.routeTables.remove(id, region.nowMs, call.instant);
  return {};
}

function interfaceFor(region: Region, call: Call, input: CreateRouteRequest): string {
  if (input.NetworkInterfaceId !== undefined)
    return need(call, region.networkInterfaces, 'networkInterface', input.NetworkInterfaceId).id;
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  const [first] = instance.networkInterfaceIds;
  if (first === undefined) throw new Ec2Error('InvalidInstanceID', `Instance ${instance.id} has no interface`);
  return first;
}

/**
 * Makes a route to an interface or an instance.
 * @throws RouteAlreadyExists
 */
export function createRoute(region: Region, call: Call, input: CreateRouteRequest): CreateRouteResult {
  const table = need(call, region.routeTables, 'routeTable', input.RouteTableId);
  const destinationCidr = input.DestinationCidrBlock ?? '';
  if (destinationCidr === '') throw new Ec2Error('MissingParameter', 'The request must contain a destination');
  if (table.routes.some((route) => route.destinationCidr === destinationCidr)) {
    throw new Ec2Error('RouteAlreadyExists', `The route identified by ${destinationCidr} already exists.`);
  }
  const networkInterfaceId = interfaceFor(region, call, input);
  const routes = [...table.routes, { destinationCidr, networkInterfaceId }];
  region.routeTables.update(table.id, { routes }, region.nowMs, call.instant);
  return { Return: true };
}

export function deleteRoute(region: Region, call: Call, input: DeleteRouteRequest): object {
  const table = need(call, region.routeTables, 'routeTable', input.RouteTableId);
  const routes = table.routes.filter((route) => route.destinationCidr !== input.DestinationCidrBlock);
  if (routes.length === table.routes.length) {
    throw new Ec2Error('InvalidRoute.NotFound', `no route with destination-cidr-block ${input.DestinationCidrBlock}`);
  }
  region.routeTables.update(table.id, { routes }, region.nowMs, call.instant);
  return {};
}
