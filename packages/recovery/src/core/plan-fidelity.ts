/**
 * What becomes of each attribute of a failed instance (the 42 rows of the launch-fidelity
 * reference), as data: for documentation, and for a test that finds every named code in a real
 * plan.
 *
 * - `carried`: in the RunInstances request, its image or its permit;
 * - `reapplied`: by a call after the launch;
 * - `lost`: reported in the plan's `losses` under `codes`, when the instance has it;
 * - `refused`: recovery is blocked under `codes`.
 */
export type Fate = 'carried' | 'reapplied' | 'lost' | 'refused';

export interface FidelityRow {
  readonly row: number;
  readonly attribute: string;
  readonly fates: readonly Fate[];
  /** Members of the request that carry it, or the calls that re-apply it. */
  readonly by: readonly string[];
  /** Codes in `losses` or in the blocking problems. */
  readonly codes: readonly string[];
}

const row = (
  number: number,
  attribute: string,
  fates: readonly Fate[],
  by: readonly string[] = [],
  codes: readonly string[] = [],
): FidelityRow => ({ row: number, attribute, fates, by, codes });

export const FIDELITY: readonly FidelityRow[] = [
  row(1, 'image', ['carried', 'refused'], ['ImageId'], ['ArchitectureUnknown']),
  row(
    2,
    'instance type',
    ['carried', 'refused'],
    ['InstanceType'],
    [
      'PlacementTypeUnknown',
      'PlacementNotOffered',
      'PlacementArchitecture',
      'PlacementVirtualization',
      'PlacementBootMode',
      'PlacementEna',
      'PlacementTpm',
      'PlacementNoEbsRoot',
      'PlacementNotOnDemand',
      'PlacementTooManyVolumes',
    ],
  ),
  row(3, 'key pair', ['carried', 'lost'], ['KeyName'], ['KeyPairGone']),
  row(
    4,
    'zone and subnet',
    ['carried', 'lost', 'refused'],
    ['Placement', 'NetworkInterfaces'],
    ['NoPlacement', 'PlacementSubnetUnknown'],
  ),
  row(5, 'security groups', ['carried', 'lost'], ['CreateNetworkInterface'], ['PlacementInOtherVpc']),
  row(6, 'primary private IPv4', ['lost'], [], ['PrivateIpChanges']),
  row(7, 'secondary private IPv4s', ['lost'], [], ['SecondaryPrivateIpsLost']),
  row(8, 'IPv6 addresses', ['lost'], [], ['Ipv6AddressesLost']),
  row(9, 'delegated prefixes', ['lost'], [], ['PrefixesLost']),
  row(
    10,
    'extra network interfaces, interface type',
    ['lost'],
    [],
    ['ExtraNetworkInterfacesLost', 'InterfaceTypeLost', 'ConnectionTrackingLost'],
  ),
  row(11, 'source/destination check', ['reapplied'], ['ModifyNetworkInterfaceAttribute']),
  row(12, 'automatic public IPv4', ['lost'], [], ['PublicIpLost']),
  row(13, 'Elastic IPs', ['reapplied', 'lost'], ['AssociateAddress'], ['AddressesNotMoved']),
  row(14, 'network interface tags', ['carried'], ['CreateNetworkInterface']),
  row(15, 'secondary networks', ['refused'], [], ['SecondaryNetwork']),
  row(
    16,
    'IAM instance profile',
    ['carried', 'refused', 'lost'],
    ['IamInstanceProfile'],
    ['InstanceProfileGone', 'InstanceProfileLeftOut'],
  ),
  row(
    17,
    'user data',
    ['carried', 'lost', 'refused'],
    ['UserData'],
    [
      'FirstBootRunsAgain',
      'FirstBootFormats',
      'FirstBootMayFormat',
      'FirstBootNeutralised',
      'FirstBootNotExamined',
      'HostIdentityRenewed',
      'AgentKeyInUserData',
    ],
  ),
  row(
    18,
    'block devices',
    ['carried', 'lost', 'refused'],
    ['BlockDeviceMappings'],
    [
      'VolumeMultiAttach',
      'VolumeUnknown',
      'RootVolumeMissing',
      'EbsCardIndexLost',
      'FirstReadsSlow',
      'DeviceNamesMayChange',
    ],
  ),
  row(
    19,
    'instance store',
    ['lost', 'refused'],
    [],
    ['InstanceStoreLost', 'InstanceStoreNotMapped', 'InstanceStoreRoot'],
  ),
  row(20, 'EBS optimization', ['carried'], ['EbsOptimized']),
  row(21, 'detailed monitoring', ['carried'], ['Monitoring']),
  row(22, 'tenancy and host', ['carried', 'lost'], ['Placement'], ['DedicatedHostNotKept', 'HostAffinityLost']),
  row(
    23,
    'placement group',
    ['carried', 'lost', 'refused'],
    ['Placement'],
    ['PlacementGroupInOwnZoneOnly', 'PlacementGroupGone', 'PlacementGroupLeftOut'],
  ),
  row(24, 'CPU credits', ['carried', 'lost'], ['CreditSpecification'], ['CpuCreditsUnknown']),
  row(25, 'CPU options', ['carried', 'lost'], ['CpuOptions'], ['CpuOptionsNotCompared', 'TypeBoundOptionsDropped']),
  row(26, 'metadata options', ['carried'], ['MetadataOptions']),
  row(27, 'enclaves and hibernation', ['carried', 'lost'], ['EnclaveOptions', 'HibernationOptions'], ['MemoryLost']),
  row(
    28,
    'capacity reservation',
    ['carried', 'lost', 'refused'],
    ['CapacityReservationSpecification'],
    ['ReservationInOwnZoneOnly', 'CapacityReservationGone', 'CapacityReservationLeftOut'],
  ),
  row(29, 'licences', ['carried', 'lost', 'refused'], ['LicenseSpecifications'], ['LicenceGone', 'LicenceLeftOut']),
  row(
    30,
    'protection and shutdown behaviour',
    ['carried', 'reapplied', 'lost'],
    ['InstanceInitiatedShutdownBehavior', 'ModifyInstanceAttribute'],
    ['ShutdownBehaviorUnknown'],
  ),
  row(31, 'maintenance options', ['carried', 'lost'], ['MaintenanceOptions'], ['RebootMigrationLost']),
  row(32, 'hostname options', ['lost'], [], ['PrivateDnsOptionsLost']),
  row(33, 'bandwidth weighting', ['carried'], ['NetworkPerformanceOptions']),
  row(
    34,
    'boot mode, TPM, UEFI, ENA, architecture',
    ['carried', 'lost'],
    ['RegisterImage'],
    ['TpmSecretsLost', 'UefiVariablesLost'],
  ),
  row(35, 'market', ['refused'], [], ['SpotInstance', 'MarketUnsupported']),
  row(36, 'kernel and RAM disk', ['refused'], [], ['Paravirtual']),
  row(37, 'tags', ['carried', 'reapplied', 'lost'], ['TagSpecifications', 'CreateTags'], ['TagsOverLimit']),
  row(38, 'launch template link', ['lost'], [], ['LaunchTemplateLinkLost']),
  row(
    39,
    'other owners',
    ['refused', 'lost'],
    [],
    [
      'ManagedByAutoScaling',
      'ManagedByEks',
      'ManagedByBeanstalk',
      'ManagedByEmr',
      'ManagedByFleet',
      'ManagedByOperator',
      'CloudFormationDrift',
    ],
  ),
  row(
    40,
    'product codes and billing',
    ['carried', 'lost', 'refused'],
    ['RegisterImage'],
    ['PlatformUnsupported', 'MarketplaceProduct'],
  ),
  row(
    41,
    'references to the instance and its interface',
    ['lost'],
    [],
    ['RoutesNotMoved', 'RoutesUnknown', 'InsideReferences', 'OutsideReferences'],
  ),
  row(
    42,
    'default encryption and key',
    ['carried', 'lost', 'refused'],
    ['BlockDeviceMappings'],
    ['KmsKeyUnnamed', 'KmsKeyNotChecked', 'KmsKeyUnusable'],
  ),
];
