import type {
  ConnectionTrackingSpecificationRequest,
  PrivateDnsNameOptionsResponse,
  RegisterImageRequest,
  RunInstancesRequest,
  VolumeType,
} from '@aws-sdk/client-ec2';

/**
 * What exists in the simulated Region. Values are immutable. Moments are ms of the core's clock;
 * `…WallMs` are epoch ms.
 */
export type SimTags = Readonly<Record<string, string>>;

export type SimInstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

/** How the hosts of a zone fail: without power, or so that everything on them stands still. */
export type HostFailure = 'power' | 'hang';

/** A switch that takes effect late: the former value rules until `effectiveAtMs`. */
export interface LateSwitch {
  readonly value: boolean;
  readonly former: boolean;
  readonly effectiveAtMs: number;
}

export const switchRules = (late: LateSwitch, nowMs: number): boolean =>
  nowMs >= late.effectiveAtMs ? late.value : late.former;

export type StatusCheck = 'system' | 'instance' | 'attached-ebs';

export interface SimInstanceEvent {
  readonly eventId: string;
  readonly code: string;
  readonly description: string;
  readonly notBeforeWallMs: number;
}

/** What AWS may do with an instance by itself. */
export interface SimMaintenanceOptions {
  readonly autoRecovery: 'default' | 'disabled';
  readonly rebootMigration: 'default' | 'disabled';
}

export interface SimInstance {
  readonly id: string;
  readonly reservationId: string;
  readonly state: SimInstanceState;
  /** Counts the state changes asked for. A scheduled transition of an older generation is void. */
  readonly generation: number;
  readonly stateReason: { readonly code: string; readonly message: string } | null;
  readonly transitionReason: string;
  readonly request: RunInstancesRequest;
  readonly imageId: string;
  readonly instanceType: string;
  readonly az: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly architecture: string;
  readonly rootDeviceName: string;
  readonly clientToken: string | null;
  readonly launchedAtWallMs: number;
  /** Start of the current run. Null when not running. */
  readonly runningSinceMs: number | null;
  readonly checksOkAtMs: number | null;
  readonly userData: string | null;
  readonly stopProtection: LateSwitch;
  readonly terminationProtection: LateSwitch;
  readonly shutdownBehavior: 'stop' | 'terminate';
  readonly ebsOptimized: boolean;
  readonly detailedMonitoring: boolean;
  readonly tags: SimTags;
  readonly volumeIds: readonly string[];
  /** Roots that a replacement task took off. Snapshots of them fit this instance. */
  readonly formerRootVolumeIds: readonly string[];
  readonly maintenance: SimMaintenanceOptions;
  /** As changed since its launch. Null: not changed. */
  readonly dnsNames: PrivateDnsNameOptionsResponse | null;
  readonly networkInterfaceIds: readonly string[];
  /** Assigned automatically, and given back at stop. */
  readonly autoPublicIp: string | null;
  readonly crashedAtMs: number | null;
  readonly impairedFromMs: number | null;
  /** Checks an operator of the simulator has failed. */
  readonly impairedChecks: readonly StatusCheck[];
  readonly stuck: boolean;
  readonly forcedStopPending: boolean;
  /** How long its attachments read `busy` once it is stopped. Null: they do not. */
  readonly busyAfterStopMs: number | null;
  /** How long its guest goes on writing once it is stopped. Null: it does not. */
  readonly lateWritesMs: number | null;
  /**
   * What cloud-init ran and formatted at the first boot of this id. Null: nothing yet, or no user
   * data.
   */
  readonly firstBoot: {
    readonly ran: readonly string[];
    readonly formatted: readonly { readonly volumeId: string; readonly device: string; readonly by: string }[];
  } | null;
  readonly events: readonly SimInstanceEvent[];
  /** Marketplace codes of the image it was launched from. */
  readonly productCodes: readonly string[];
}

export type SimAttachmentState = 'attaching' | 'attached' | 'detaching' | 'detached' | 'busy';

export interface SimVolumeAttachment {
  readonly instanceId: string;
  readonly device: string;
  readonly state: SimAttachmentState;
  readonly attachedAtWallMs: number;
  readonly deleteOnTermination: boolean;
}

/** Blocks that come in the background after a volume was made from something. */
export interface SimInitialization {
  readonly type: 'default' | 'provisioned-rate' | 'volume-copy';
  /** MiB/s, for `provisioned-rate`. */
  readonly rateMiBps: number | null;
  readonly startedAtMs: number;
  readonly dueAtMs: number;
}

export interface SimVolume {
  readonly id: string;
  readonly state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error';
  readonly az: string;
  readonly sizeGiB: number;
  readonly volumeType: VolumeType;
  readonly iops: number | null;
  readonly throughput: number | null;
  readonly encrypted: boolean;
  readonly kmsKeyId: string | null;
  readonly multiAttach: boolean;
  readonly snapshotId: string | null;
  /** The volume that it was copied from. */
  readonly sourceVolumeId: string | null;
  /** Null: it was made empty, so there is nothing to fetch. */
  readonly initialization: SimInitialization | null;
  /** False while EC2 holds back its I/O, because the data may be inconsistent. */
  readonly ioEnabled: boolean;
  readonly createdAtWallMs: number;
  readonly attachments: readonly SimVolumeAttachment[];
  readonly lastSnapshotAtMs: number | null;
  readonly busy: boolean;
  /** Instance id for which cloud-init last ran from this root disk. */
  readonly cloudInitRanFor: string | null;
  readonly tags: SimTags;
}

export interface SimSnapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly state: 'pending' | 'completed' | 'error';
  readonly sizeGiB: number;
  readonly encrypted: boolean;
  readonly kmsKeyId: string | null;
  readonly description: string;
  readonly startedAtMs: number;
  readonly startedAtWallMs: number;
  readonly dueAtMs: number;
  readonly completedAtWallMs: number | null;
  /** The volume's value when the snapshot was taken. */
  readonly cloudInitRanFor: string | null;
  readonly tags: SimTags;
}

export interface SimImage {
  readonly id: string;
  readonly name: string;
  readonly state: 'pending' | 'available' | 'failed';
  readonly request: RegisterImageRequest;
  readonly rootDeviceName: string;
  readonly rootSnapshotId: string;
  readonly architecture: string;
  readonly createdAtWallMs: number;
  readonly isPublic: boolean;
  readonly tags: SimTags;
}

/** A root volume that is exchanged under a running instance. */
export interface SimReplaceRootVolumeTask {
  readonly id: string;
  readonly instanceId: string;
  readonly state: 'pending' | 'in-progress' | 'succeeded' | 'failing' | 'failed' | 'failed-detached';
  readonly startedAtWallMs: number;
  readonly completedAtWallMs: number | null;
  readonly imageId: string | null;
  readonly snapshotId: string | null;
  readonly volumeId: string | null;
  readonly deleteReplaced: boolean;
  readonly tags: SimTags;
}

export interface SimNetworkAttachment {
  readonly attachmentId: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly state: 'attaching' | 'attached' | 'detaching';
  readonly attachedAtWallMs: number;
  readonly deleteOnTermination: boolean;
}

/** True for index 0 of card 0. Each card counts its own indexes. */
export const isPrimary = (attachment: SimNetworkAttachment | null | undefined): boolean =>
  attachment?.deviceIndex === 0 && attachment.networkCardIndex === 0;

export interface SimNetworkInterface {
  readonly id: string;
  readonly state: 'pending' | 'available' | 'in-use';
  readonly az: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly privateIp: string;
  readonly secondaryIps: readonly string[];
  readonly ipv6Addresses: readonly string[];
  /** /28 each. */
  readonly ipv4Prefixes: readonly string[];
  /** /80 each. */
  readonly ipv6Prefixes: readonly string[];
  /** True once the first IPv6 address is the primary one, which nothing undoes. */
  readonly primaryIpv6: boolean;
  /**
   * Addresses moved here that the guest does not see yet, each with the moment from which its
   * metadata show it.
   */
  readonly arriving: Readonly<Record<string, number>>;
  readonly macAddress: string;
  readonly groupIds: readonly string[];
  readonly description: string;
  readonly sourceDestCheck: boolean;
  readonly interfaceType: string;
  /** Timeouts in seconds. Null: EC2's own. */
  readonly connectionTracking: ConnectionTrackingSpecificationRequest | null;
  readonly attachment: SimNetworkAttachment | null;
  readonly clientToken: string | null;
  readonly tags: SimTags;
}

export interface SimAddress {
  /** Allocation id. */
  readonly id: string;
  readonly publicIp: string;
  readonly associationId: string | null;
  readonly networkInterfaceId: string | null;
  readonly privateIp: string | null;
  readonly tags: SimTags;
}

export interface SimSubnet {
  readonly id: string;
  readonly az: string;
  readonly vpcId: string;
  /** First two octets and the third: `172.31.16`. The subnet is its /20. */
  readonly networkPrefix: string;
  readonly cidrBlock: string;
  /** First 64 bits of its IPv6 block. */
  readonly ipv6Prefix: string;
  readonly mapPublicIp: boolean;
  readonly tags: SimTags;
}

/** A key pair, identified by its name, which is unique. */
export interface SimKeyPair {
  /** The name. */
  readonly id: string;
  readonly keyPairId: string;
  readonly tags: SimTags;
}

export interface SimPlacementGroup {
  /** The name. */
  readonly id: string;
  readonly groupId: string;
  readonly strategy: 'cluster' | 'spread' | 'partition';
  readonly tags: SimTags;
}

export interface SimCapacityReservation {
  readonly id: string;
  readonly az: string;
  readonly instanceType: string;
  readonly count: number;
  readonly platform: string;
  readonly tenancy: string;
  readonly matches: 'open' | 'targeted';
  /** Null: it does not end by itself. */
  readonly endsAtWallMs: number | null;
  readonly state: 'active' | 'cancelled' | 'expired';
  readonly tags: SimTags;
}

export interface SimHost {
  /** `h-…` */
  readonly id: string;
  readonly az: string;
  /** True when it takes launches that name no host. */
  readonly autoPlacement: boolean;
}

/** A route to an interface. EC2 also shows the instance that the interface is attached to. */
export interface SimRoute {
  readonly destinationCidr: string;
  readonly networkInterfaceId: string;
}

export interface SimRouteTable {
  readonly id: string;
  readonly vpcId: string;
  readonly routes: readonly SimRoute[];
  readonly tags: SimTags;
}

export interface SimVpc {
  readonly id: string;
  readonly cidrBlock: string;
  readonly tags: SimTags;
}

export interface SimSecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly vpcId: string;
  readonly tags: SimTags;
}
