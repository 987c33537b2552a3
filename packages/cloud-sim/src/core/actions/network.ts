import type {
  DescribeAvailabilityZonesRequest,
  DescribeAvailabilityZonesResult,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  DescribeSubnetsRequest,
  DescribeSubnetsResult,
  DescribeVpcsRequest,
  DescribeVpcsResult,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look } from '../lookup.ts';
import type { SimSecurityGroup, SimSubnet, SimVpc } from '../model.ts';
import { page } from '../pages.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { freeAddressCount } from './subnet-addresses.ts';

const PAGE = { min: 5, max: 1_000 };

const SUBNET_FILTERS: FilterTable<SimSubnet> = {
  'subnet-id': (one) => [one.id],
  'vpc-id': (one) => [one.vpcId],
  'availability-zone': (one) => [one.az],
  'cidr-block': (one) => [one.cidrBlock],
  state: () => ['available'],
  'default-for-az': () => ['true'],
};

export function describeSubnets(region: Region, call: Call, input: DescribeSubnetsRequest): DescribeSubnetsResult {
  const found = applyFilters(look(call, region.subnets, 'subnet', input.SubnetIds), input.Filters, SUBNET_FILTERS);
  const { items, nextToken } = page('DescribeSubnets', found, input, PAGE, input.SubnetIds);
  return {
    NextToken: nextToken,
    Subnets: items.map((one) => ({
      SubnetId: one.id,
      VpcId: one.vpcId,
      AvailabilityZone: one.az,
      CidrBlock: one.cidrBlock,
      Ipv6CidrBlockAssociationSet: [
        {
          AssociationId: `subnet-cidr-assoc-${one.id.slice('subnet-'.length)}`,
          Ipv6CidrBlock: `${one.ipv6Prefix}::/64`,
          Ipv6CidrBlockState: { State: 'associated' as const },
        },
      ],
      State: 'available' as const,
      AvailableIpAddressCount: freeAddressCount(region, one),
      MapPublicIpOnLaunch: one.mapPublicIp,
      DefaultForAz: true,
      OwnerId: ACCOUNT_ID,
      Tags: tagList(one.tags),
    })),
  };
}

const VPC_FILTERS: FilterTable<SimVpc> = {
  'vpc-id': (one) => [one.id],
  'cidr-block': (one) => [one.cidrBlock],
  'is-default': () => ['true'],
  state: () => ['available'],
};

export function describeVpcs(region: Region, call: Call, input: DescribeVpcsRequest): DescribeVpcsResult {
  const found = applyFilters(look(call, region.vpcs, 'vpc', input.VpcIds), input.Filters, VPC_FILTERS);
  const { items, nextToken } = page('DescribeVpcs', found, input, PAGE, input.VpcIds);
  return {
    NextToken: nextToken,
    Vpcs: items.map((one) => ({
      VpcId: one.id,
      CidrBlock: one.cidrBlock,
      State: 'available' as const,
      IsDefault: true,
      OwnerId: ACCOUNT_ID,
      Tags: tagList(one.tags),
    })),
  };
}

const GROUP_FILTERS: FilterTable<SimSecurityGroup> = {
  'group-id': (one) => [one.id],
  'group-name': (one) => [one.name],
  'vpc-id': (one) => [one.vpcId],
};

export function describeSecurityGroups(
  region: Region,
  call: Call,
  input: DescribeSecurityGroupsRequest,
): DescribeSecurityGroupsResult {
  const found = look(call, region.securityGroups, 'securityGroup', input.GroupIds);
  const matching = applyFilters(found, input.Filters, GROUP_FILTERS);
  const { items, nextToken } = page('DescribeSecurityGroups', matching, input, PAGE, input.GroupIds);
  return {
    NextToken: nextToken,
    SecurityGroups: items.map((one) => ({
      GroupId: one.id,
      GroupName: one.name,
      Description: `${one.name} VPC security group`,
      VpcId: one.vpcId,
      OwnerId: ACCOUNT_ID,
      IpPermissions: [],
      IpPermissionsEgress: [],
      Tags: tagList(one.tags),
    })),
  };
}

interface Zone {
  readonly id: string;
  readonly zoneId: string;
  readonly state: 'available' | 'impaired';
  readonly tags: Readonly<Record<string, string>>;
}

const zoneFilters = (region: Region): FilterTable<Zone> => ({
  'zone-name': (one) => [one.id],
  'zone-id': (one) => [one.zoneId],
  'region-name': () => [region.name],
  state: (one) => [one.state],
});

export function describeAvailabilityZones(
  region: Region,
  _call: Call,
  input: DescribeAvailabilityZonesRequest,
): DescribeAvailabilityZonesResult {
  const all = region.zones.map(
    (id, i): Zone => ({
      id,
      zoneId: `use1-az${i + 1}`,
      state: region.impairedZones.has(id) ? 'impaired' : 'available',
      tags: {},
    }),
  );
  for (const name of input.ZoneNames ?? []) {
    if (!region.zones.includes(name)) {
      throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${name}]`);
    }
  }
  const named = input.ZoneNames?.length ? all.filter((one) => input.ZoneNames?.includes(one.id)) : all;
  return {
    AvailabilityZones: applyFilters(named, input.Filters, zoneFilters(region)).map((one) => ({
      ZoneName: one.id,
      ZoneId: one.zoneId,
      ZoneType: 'availability-zone',
      RegionName: region.name,
      GroupName: region.name,
      NetworkBorderGroup: region.name,
      OptInStatus: 'opt-in-not-required' as const,
      State: one.state,
      Messages: [],
    })),
  };
}
