import {
  type CloudCallOptions,
  type CloudCapacityReservation,
  type CloudFilters,
  type CloudRoute,
  hasCode,
  isOperationError,
  numberOf,
  OperationError,
  type Raw,
  rawListOf,
  tagsOf,
  textOf,
} from '@understudy/shared';
import { listIn } from './ec2-caller.ts';
import { Ec2Reads } from './ec2-reads.ts';

/** Reads whether the things exist that a launch or a member names. */
export class Ec2ReferenceReads extends Ec2Reads {
  /**
   * Text of the refusal once this EC2 has launched what was only to be tried. Null: it never did.
   */
  #launchedInstead: string | null = null;

  async describeTypeOfferings(
    instanceTypes: readonly string[],
    options?: CloudCallOptions,
  ): Promise<readonly { readonly instanceType: string; readonly az: string }[]> {
    if (instanceTypes.length === 0) return [];
    const input = { LocationType: 'availability-zone' };
    const action = 'DescribeInstanceTypeOfferings';
    const listing = { action, list: 'InstanceTypeOfferings', paginated: true, input } as const;
    const found = await this.list(listing, { 'instance-type': instanceTypes }, options);
    return found.flatMap(({ InstanceType, Location }) => {
      const [instanceType, az] = [textOf(InstanceType), textOf(Location)];
      return instanceType === null || az === null ? [] : [{ instanceType, az }];
    });
  }

  async hasKeyPair(keyName: string, options?: CloudCallOptions): Promise<boolean> {
    const listing = { action: 'DescribeKeyPairs', list: 'KeyPairs', paginated: false } as const;
    // The filter takes wildcards, so the name is compared as it is.
    const found = await this.list(listing, { 'key-name': [keyName] }, options);
    return found.some((raw) => raw.KeyName === keyName);
  }

  async hasPlacementGroup(
    group: { readonly groupId: string | null; readonly groupName: string | null },
    options?: CloudCallOptions,
  ): Promise<boolean> {
    const { groupId, groupName } = group;
    if (groupId === null && groupName === null) return false;
    const input = groupId === null ? { GroupNames: [groupName] } : { GroupIds: [groupId] };
    const answer = await unlessUnknown(this.call('DescribePlacementGroups', input, options));
    if (answer === null) return false;
    return listIn('DescribePlacementGroups', answer, 'PlacementGroups').some(
      (raw) => raw.State !== 'deleting' && raw.State !== 'deleted',
    );
  }

  async describeCapacityReservation(
    reservationId: string,
    options?: CloudCallOptions,
  ): Promise<CloudCapacityReservation | null> {
    const input = { CapacityReservationIds: [reservationId] };
    const answer = await unlessUnknown(this.call('DescribeCapacityReservations', input, options));
    if (answer === null) return null;
    const own = listIn('DescribeCapacityReservations', answer, 'CapacityReservations').find(
      (raw) => raw.CapacityReservationId === reservationId,
    );
    return own === undefined ? null : reservationIn(reservationId, own);
  }

  async describeCapacityReservations(
    filters: CloudFilters,
    options?: CloudCallOptions,
  ): Promise<readonly CloudCapacityReservation[]> {
    const listing = { action: 'DescribeCapacityReservations', list: 'CapacityReservations', paginated: true } as const;
    const found = await this.list(listing, filters, options);
    return found.flatMap((raw) => {
      const id = textOf(raw.CapacityReservationId);
      return id === null ? [] : [reservationIn(id, raw)];
    });
  }

  /** Routes of the whole VPC: EC2 has no filter for the network interface that a route leads to. */
  async describeRoutes(vpcId: string, options?: CloudCallOptions): Promise<readonly CloudRoute[]> {
    const listing = { action: 'DescribeRouteTables', list: 'RouteTables', paginated: true, pageSize: 100 } as const;
    const tables = await this.list(listing, { 'vpc-id': [vpcId] }, options);
    return tables.flatMap((table) => rawListOf(table.Routes).flatMap((route) => mapRoute(table, route)));
  }

  async tryLaunch(request: Readonly<Record<string, unknown>>, options?: CloudCallOptions): Promise<void> {
    if (this.#launchedInstead !== null) throw new OperationError('CLOUD_REJECTED', this.#launchedInstead);
    let answer: Raw;
    try {
      answer = await this.call('RunInstances', { ...request, DryRun: true }, options);
    } catch (error) {
      // A refused dry run is EC2's way to say yes.
      if (isOperationError(error) && error.upstreamCode === 'DryRunOperation') return;
      throw error;
    }
    const made = rawListOf(answer.Instances).flatMap((one) => textOf(one.InstanceId) ?? []);
    this.#launchedInstead = `RunInstances: this EC2 takes DryRun for a launch and made ${made.join(', ')}: terminate it. No launch is tried again; set loop.tryLaunchEveryMs to 0`;
    throw new OperationError('CLOUD_REJECTED', this.#launchedInstead);
  }
}

/** Null: EC2 does not know what was asked for by name. */
async function unlessUnknown(answer: Promise<Raw>): Promise<Raw | null> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'CLOUD_NOT_FOUND')) return null;
    throw error;
  }
}

/** A capacity reservation of an answer. */
export const reservationIn = (reservationId: string, raw: Raw): CloudCapacityReservation => ({
  reservationId,
  state: textOf(raw.State) ?? '',
  az: textOf(raw.AvailabilityZone),
  instanceType: textOf(raw.InstanceType),
  platform: textOf(raw.InstancePlatform),
  tenancy: textOf(raw.Tenancy),
  available: numberOf(raw.AvailableInstanceCount),
  tags: tagsOf(raw.Tags),
});

const mapRoute = (table: Raw, route: Raw): CloudRoute[] => {
  const [instanceId, networkInterfaceId] = [textOf(route.InstanceId), textOf(route.NetworkInterfaceId)];
  if (instanceId === null && networkInterfaceId === null) return [];
  const destination =
    textOf(route.DestinationCidrBlock) ??
    textOf(route.DestinationIpv6CidrBlock) ??
    textOf(route.DestinationPrefixListId) ??
    '';
  return [{ routeTableId: textOf(table.RouteTableId) ?? '', destination, instanceId, networkInterfaceId }];
};
