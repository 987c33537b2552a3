import type {
  DescribeInstanceTypeOfferingsRequest,
  DescribeInstanceTypeOfferingsResult,
  DescribeInstanceTypesRequest,
  DescribeInstanceTypesResult,
  InstanceTypeInfo,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable } from '../filters.ts';
import { INSTANCE_TYPES, type SimInstanceType } from '../instance-types.ts';
import { page } from '../pages.ts';
import type { Call, Region } from '../region.ts';

type Listed<T> = T & { readonly id: string; readonly tags: Readonly<Record<string, string>> };
type TypeName = NonNullable<InstanceTypeInfo['InstanceType']>;

const TYPE_FILTERS: FilterTable<Listed<SimInstanceType>> = {
  'instance-type': (one) => [one.name],
  'bare-metal': (one) => [String(one.bareMetal)],
  'processor-info.supported-architecture': (one) => [one.architecture],
};

const view = (one: SimInstanceType): InstanceTypeInfo => ({
  InstanceType: one.name as TypeName,
  CurrentGeneration: one.hypervisor === 'nitro',
  BareMetal: one.bareMetal,
  Hypervisor: one.bareMetal ? undefined : one.hypervisor,
  SupportedUsageClasses: ['on-demand', 'spot'],
  SupportedRootDeviceTypes: ['ebs'],
  SupportedVirtualizationTypes: ['hvm'],
  SupportedBootModes: [...one.bootModes],
  ProcessorInfo: { SupportedArchitectures: [one.architecture] },
  VCpuInfo: {
    DefaultVCpus: one.vcpus,
    DefaultCores: Math.max(1, one.vcpus / 2),
    DefaultThreadsPerCore: 2,
  },
  MemoryInfo: { SizeInMiB: one.memoryMiB },
  BurstablePerformanceSupported: one.burstable,
  InstanceStorageSupported: one.instanceStoreDisks > 0,
  InstanceStorageInfo:
    one.instanceStoreDisks > 0
      ? {
          Disks: [{ Count: one.instanceStoreDisks, SizeInGB: 475, Type: 'ssd' }],
          NvmeSupport: one.hypervisor === 'nitro' ? 'required' : 'unsupported',
        }
      : undefined,
  EbsInfo: {
    NvmeSupport: one.hypervisor === 'nitro' ? 'required' : 'unsupported',
    MaximumEbsAttachments: one.attachmentsMax,
    AttachmentLimitType: one.hypervisor === 'nitro' ? 'shared' : 'dedicated',
  },
  NetworkInfo: {
    MaximumNetworkCards: one.networkCards,
    EnaSupport: one.hypervisor === 'nitro' ? 'required' : 'unsupported',
  },
});

export function describeInstanceTypes(
  _region: Region,
  _call: Call,
  input: DescribeInstanceTypesRequest,
): DescribeInstanceTypesResult {
  const all = [...INSTANCE_TYPES.values()].map((one) => ({ ...one, id: one.name, tags: {} }));
  const asked: readonly string[] = input.InstanceTypes ?? [];
  for (const name of asked) {
    if (!INSTANCE_TYPES.has(name)) {
      throw new Ec2Error('InvalidInstanceType', `The following supplied instance types do not exist: [${name}]`);
    }
  }
  const named = asked.length > 0 ? all.filter((one) => asked.includes(one.name)) : all;
  const matching = applyFilters(named, input.Filters, TYPE_FILTERS);
  const { items, nextToken } = page('DescribeInstanceTypes', matching, input, { min: 5, max: 100 }, asked);
  return { NextToken: nextToken, InstanceTypes: items.map(view) };
}

interface Offering {
  readonly instanceType: string;
  readonly location: string;
}

const OFFERING_FILTERS: FilterTable<Listed<Offering>> = {
  'instance-type': (one) => [one.instanceType],
  location: (one) => [one.location],
};

/** The types and where they are sold: by zone, or in the Region when any zone has them. */
export function describeInstanceTypeOfferings(
  region: Region,
  _call: Call,
  input: DescribeInstanceTypeOfferingsRequest,
): DescribeInstanceTypeOfferingsResult {
  const locationType = input.LocationType ?? 'region';
  if (locationType !== 'region' && locationType !== 'availability-zone')
    throw new Ec2Error('InvalidParameterValue', `The location type '${locationType}' is not simulated`);
  const sold = [...INSTANCE_TYPES.keys()].flatMap((instanceType) =>
    region.zones
      .filter((az) => !region.notOffered.has(`${az}/${instanceType}`))
      .map((az) => ({ instanceType, location: locationType === 'region' ? region.name : az })),
  );
  const unique = new Map(sold.map((one) => [`${one.instanceType}/${one.location}`, one]));
  const listed = [...unique].map(([id, one]) => ({ ...one, id, tags: {} }));
  const matching = applyFilters(listed, input.Filters, OFFERING_FILTERS);
  const { items, nextToken } = page('DescribeInstanceTypeOfferings', matching, input, { min: 5, max: 1_000 });
  return {
    NextToken: nextToken,
    InstanceTypeOfferings: items.map((one) => ({
      InstanceType: one.instanceType as TypeName,
      LocationType: locationType,
      Location: one.location,
    })),
  };
}
