import { flagOf, numberOf, type Raw, rawListOf, rawOf, type SnapshotAndReplacePlan, textOf } from '@understudy/shared';
import { canonical } from './launch-tags.ts';
import type { PlanInput } from './plan-input.ts';

/**
 * The members of RunInstances that do not depend on the attempt, in the SDK's names, JSON only.
 * InstanceType and Placement.AvailabilityZone are the failed instance's own: the launch request
 * compares them with its candidate and leaves out what is bound to them.
 */
export function launchBaseOf(input: PlanInput, userData: string | null = input.userData): Record<string, unknown> {
  const { instance } = input;
  const { raw } = instance;
  return rawOf(
    canonical({
      InstanceType: instance.instanceType,
      KeyName: instance.keyName ?? undefined,
      IamInstanceProfile: instance.iamInstanceProfileArn === null ? undefined : { Arn: instance.iamInstanceProfileArn },
      UserData: userData ?? undefined,
      MetadataOptions: metadataOptionsOf(rawOf(raw.MetadataOptions)),
      Monitoring: { Enabled: instance.detailedMonitoring },
      EbsOptimized: instance.ebsOptimized ? true : undefined,
      Placement: placementOf(instance.az, rawOf(raw.Placement)),
      CreditSpecification: input.cpuCredits === null ? undefined : { CpuCredits: input.cpuCredits },
      CpuOptions: cpuOptionsOf(input),
      EnclaveOptions: flagOf(rawOf(raw.EnclaveOptions).Enabled) ? { Enabled: true } : undefined,
      HibernationOptions: flagOf(rawOf(raw.HibernationOptions).Configured) ? { Configured: true } : undefined,
      CapacityReservationSpecification: reservationOf(rawOf(raw.CapacityReservationSpecification)),
      LicenseSpecifications: licensesOf(raw.Licenses),
      InstanceInitiatedShutdownBehavior: input.shutdownBehavior ?? undefined,
      MaintenanceOptions: notDefault(rawOf(raw.MaintenanceOptions), 'AutoRecovery'),
      NetworkPerformanceOptions: notDefault(rawOf(raw.NetworkPerformanceOptions), 'BandwidthWeighting'),
    }),
  );
}

/**
 * What RegisterImage must be told; null when the architecture is unknown. The instance's own word
 * goes before the image's.
 */
export function imageOf({ instance, image }: PlanInput): SnapshotAndReplacePlan['image'] | null {
  const { raw } = instance;
  const architecture = instance.architecture ?? image?.architecture ?? null;
  if (architecture === null || instance.rootDeviceName === null) return null;
  return {
    rootDeviceName: instance.rootDeviceName,
    architecture,
    bootMode: textOf(raw.BootMode) ?? image?.bootMode ?? null,
    enaSupport: typeof raw.EnaSupport === 'boolean' ? raw.EnaSupport : (image?.enaSupport ?? true),
    tpmSupport: textOf(raw.TpmSupport) ?? image?.tpmSupport ?? null,
    sriovNetSupport: textOf(raw.SriovNetSupport) ?? image?.sriovNetSupport ?? null,
    virtualizationType: textOf(raw.VirtualizationType) ?? image?.virtualizationType ?? null,
    imdsSupport: image?.imdsSupport ?? null,
  };
}

/**
 * Differs from the type's default, as far as the default is known; fixed settings that are never a
 * default always do.
 */
export function cpuOptionsOf({ instance, typeFacts }: PlanInput): object | undefined {
  const typeDefaults = typeFacts.types.get(instance.instanceType) ?? null;
  const options = rawOf(instance.raw.CpuOptions);
  const cores = numberOf(options.CoreCount);
  const threads = numberOf(options.ThreadsPerCore);
  const known = typeDefaults !== null && typeDefaults.defaultCores !== null;
  const differs =
    known && (cores !== typeDefaults.defaultCores || threads !== (typeDefaults.defaultThreadsPerCore ?? threads));
  const chosen = {
    ...(differs && cores !== null && threads !== null ? { CoreCount: cores, ThreadsPerCore: threads } : {}),
    ...(options.AmdSevSnp === 'enabled' ? { AmdSevSnp: 'enabled' } : {}),
    ...(options.NestedVirtualization === 'enabled' ? { NestedVirtualization: 'enabled' } : {}),
  };
  return Object.keys(chosen).length === 0 ? undefined : chosen;
}

/** Without `State`, which is an answer and not a setting. */
const metadataOptionsOf = (options: Raw): object | undefined => {
  const chosen = {
    ...onlyTexts(options, ['HttpTokens', 'HttpEndpoint', 'HttpProtocolIpv6', 'InstanceMetadataTags']),
    ...(numberOf(options.HttpPutResponseHopLimit) === null
      ? {}
      : { HttpPutResponseHopLimit: options.HttpPutResponseHopLimit }),
  };
  return Object.keys(chosen).length === 0 ? undefined : chosen;
};

/**
 * HostId and Affinity stay behind: the old instance still owns its place there, and the host may be
 * what failed.
 */
function placementOf(az: string, placement: Raw): object {
  const tenancy = textOf(placement.Tenancy);
  const group = textOf(placement.GroupId);
  return {
    AvailabilityZone: az,
    ...(tenancy === null || tenancy === 'default' ? {} : { Tenancy: tenancy }),
    // EC2 takes the group's id or its name, not both; the id also names a shared group.
    ...(group === null ? onlyTexts(placement, ['GroupName']) : { GroupId: group }),
    ...(numberOf(placement.PartitionNumber) ? { PartitionNumber: placement.PartitionNumber } : {}),
    ...onlyTexts(placement, ['HostResourceGroupArn']),
  };
}

function reservationOf(specification: Raw): object | undefined {
  const target = onlyTexts(rawOf(specification.CapacityReservationTarget), [
    'CapacityReservationId',
    'CapacityReservationResourceGroupArn',
  ]);
  // EC2 takes a preference or a target, not both.
  if (target) return { CapacityReservationTarget: target };
  const preference = onlyTexts(specification, ['CapacityReservationPreference']);
  return specification.CapacityReservationPreference === 'open' ? undefined : preference;
}

function licensesOf(value: unknown): object[] | undefined {
  const arns = rawListOf(value).flatMap(({ LicenseConfigurationArn }) => textOf(LicenseConfigurationArn) ?? []);
  return arns.length === 0 ? undefined : arns.map((LicenseConfigurationArn) => ({ LicenseConfigurationArn }));
}

/**
 * EC2 shows `default` on every type, and takes the member from those that have a choice: what is
 * the default is not said.
 */
function notDefault(source: Raw, name: string): Record<string, string> | undefined {
  return source[name] === 'default' ? undefined : onlyTexts(source, [name]);
}

/** The named members that hold text; undefined when none does. */
function onlyTexts(source: Raw, names: readonly string[]): Record<string, string> | undefined {
  const found = names.flatMap((name): [string, string][] => {
    const text = textOf(source[name]);
    return text === null ? [] : [[name, text]];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
