import type { CloudCapacityReservation, CloudConsoleOutput, CloudInstanceType, CloudRoute } from './cloud-facts.ts';
import type { CloudImage } from './cloud-image.ts';

/**
 * What we need of EC2: one method per action, our own shapes, no decisions. There is one
 * implementation (`Ec2Cloud`, coordinator) over a transport, which is either the SDK's client over
 * HTTP or cloud-sim's core in process. One contract suite tests both.
 *
 * Errors (see `errors.ts`): reads throw `CLOUD_UNAVAILABLE`, `CLOUD_THROTTLED`, `CLOUD_DENIED`,
 * `CLOUD_NOT_FOUND`, `CLOUD_REJECTED`. Mutating calls also throw `CLOUD_CAPACITY`, `CLOUD_CONFLICT`
 * and, when the request may have been applied (timeout, socket error, 5xx that is not capacity or
 * throttle), `CLOUD_OUTCOME_UNKNOWN`. `upstreamCode` is EC2's own code. Every call is sent once.
 * Only reads asked for with `repeat`, and the further pages of a listing, are repeated when they
 * fail in passing.
 */

export type Tags = Readonly<Record<string, string>>;

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

export interface CloudVolumeAttachment {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly status: string;
  readonly deleteOnTermination: boolean;
}

export interface CloudNetworkAttachment {
  readonly networkInterfaceId: string;
  readonly attachmentId: string | null;
  readonly deviceIndex: number;
  /** 0 where EC2 does not say, because most types have one card. */
  readonly networkCardIndex: number;
  readonly subnetId: string;
  readonly privateIp: string;
  readonly groupIds: readonly string[];
  readonly deleteOnTermination: boolean;
}

export interface CloudInstance {
  readonly instanceId: string;
  readonly state: InstanceState;
  /** EC2 `StateReason.Code`, e.g. `Client.UserInitiatedShutdown`; null when absent. */
  readonly stateReasonCode: string | null;
  readonly stateReasonText: string | null;
  readonly imageId: string;
  readonly instanceType: string;
  readonly az: string;
  readonly subnetId: string | null;
  readonly privateIp: string | null;
  readonly publicIp: string | null;
  readonly keyName: string | null;
  readonly iamInstanceProfileArn: string | null;
  readonly architecture: string | null;
  readonly rootDeviceName: string | null;
  readonly ebsOptimized: boolean;
  readonly detailedMonitoring: boolean;
  readonly clientToken: string | null;
  readonly launchedAtWallMs: number;
  readonly tags: Tags;
  readonly volumes: readonly CloudVolumeAttachment[];
  readonly networkInterfaces: readonly CloudNetworkAttachment[];
  /**
   * The whole SDK `Instance` object as received, for fidelity (metadata options, CPU options,
   * placement …) and for `plan` to report what is lost.
   */
  readonly raw: Readonly<Record<string, unknown>>;
}

export type CheckSummary = 'ok' | 'impaired' | 'insufficient-data' | 'not-applicable' | 'initializing';

export interface CloudInstanceStatus {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly system: CheckSummary;
  readonly instance: CheckSummary;
  readonly attachedEbs: CheckSummary;
  readonly events: readonly {
    readonly code: string;
    readonly description: string;
    readonly notBeforeWallMs: number | null;
  }[];
}

export interface CloudVolume {
  readonly volumeId: string;
  readonly state: string;
  readonly az: string;
  readonly sizeGiB: number;
  readonly volumeType: string;
  readonly iops: number | null;
  readonly throughputMiBps: number | null;
  readonly encrypted: boolean;
  readonly kmsKeyId: string | null;
  readonly multiAttach: boolean;
  /** The service that operates it. Absent: none. */
  readonly operatedBy?: string;
  /** The Outpost that it is on. Absent: none. */
  readonly outpostArn?: string;
  /** The rate at which it was filled from its snapshot, MiB/s. Absent: the default. */
  readonly initializationRateMiBps?: number;
  /** The snapshot that it was made from. Null or absent: none, or EC2 does not say. */
  readonly fromSnapshotId?: string | null;
  readonly attachments: readonly { readonly instanceId: string; readonly deviceName: string; readonly state: string }[];
  readonly tags: Tags;
}

export interface CloudSnapshot {
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly state: 'pending' | 'completed' | 'error' | 'recoverable' | 'recovering';
  /** 0..100. */
  readonly progressPercent: number;
  readonly startedAtWallMs: number;
  readonly tags: Tags;
}

/** What EC2 assigns to a network interface one by one, and takes off again. */
export type AssignedKind = 'secondary-ip' | 'ipv6-address' | 'ipv4-prefix' | 'ipv6-prefix';

/** One address or prefix, with the interface that it is, or is to be, assigned to. */
export interface AssignedAddress {
  readonly networkInterfaceId: string;
  readonly kind: AssignedKind;
  /** As EC2 writes it: an address, or a prefix with its length. */
  readonly address: string;
}

export interface CloudInterfaceAttachment {
  readonly attachmentId: string;
  /** `attaching`, `attached`, `detaching`, `detached`. */
  readonly state: string;
  readonly deviceIndex: number;
  readonly deleteOnTermination: boolean;
}

export interface CloudNetworkInterface {
  readonly networkInterfaceId: string;
  readonly state: string;
  readonly az: string;
  readonly subnetId: string;
  readonly privateIp: string;
  readonly attachedInstanceId: string | null;
  /** What it is attached by. Null: it is attached to nothing. */
  readonly attachment: CloudInterfaceAttachment | null;
  /** What is assigned to it beside its primary private address, by kind. */
  readonly assigned: Readonly<Record<AssignedKind, readonly string[]>>;
  readonly sourceDestCheck: boolean;
  readonly description: string;
  readonly tags: Tags;
  /** The service that operates it, or that has requested it. Absent: none. */
  readonly operatedBy?: string;
  /** The Outpost that it is on. Absent: none. */
  readonly outpostArn?: string;
  /** What its public host name stands for, where it was chosen. Absent: it was not. */
  readonly publicHostnameType?: string;
  /** Further subnets that it is in. Absent: none. */
  readonly associatedSubnetIds?: readonly string[];
}

export interface CloudAddress {
  readonly allocationId: string;
  readonly publicIp: string;
  readonly associationId: string | null;
  readonly networkInterfaceId: string | null;
  readonly instanceId: string | null;
  readonly privateIp: string | null;
  readonly tags: Tags;
}

export interface CloudSubnet {
  readonly subnetId: string;
  readonly az: string;
  readonly vpcId: string;
  readonly freeAddressCount: number;
  readonly tags: Tags;
}

/** An instance, as far as its tags tell. */
export interface CloudTagged {
  readonly instanceId: string;
  readonly tags: Tags;
}

/**
 * EC2 filters: name → accepted values, e.g. `{ 'tag-key': ['understudy:group'] }`. They are always
 * sent paginated.
 */
export type CloudFilters = Readonly<Record<string, readonly string[]>>;

/**
 * The complete `RunInstances` input in the SDK's own member names (JSON). It is recorded before it
 * is sent, and sent as recorded. MinCount = MaxCount = 1.
 */
export type LaunchRequest = Readonly<Record<string, unknown>> & { readonly ClientToken: string };

export interface RegisterImageRequest {
  /**
   * Unique per account and Region. It makes the call idempotent, since RegisterImage has no
   * ClientToken.
   */
  readonly name: string;
  readonly rootDeviceName: string;
  readonly rootSnapshotId: string;
  readonly architecture: string;
  readonly bootMode: string | null;
  readonly enaSupport: boolean;
  readonly tpmSupport: string | null;
  readonly sriovNetSupport: string | null;
  readonly virtualizationType: string | null;
  readonly imdsSupport: string | null;
  readonly tags: Tags;
}

export interface CreateNetworkInterfaceRequest {
  readonly clientToken: string;
  readonly subnetId: string;
  readonly groupIds: readonly string[];
  readonly description: string;
  readonly tags: Tags;
  /** Its primary private address. Absent: EC2 chooses one. */
  readonly privateIp?: string | undefined;
  /** `efa` … Absent: a plain interface. */
  readonly interfaceType?: string | undefined;
  /** Timeouts in seconds, in the SDK's names. Absent: EC2's own. */
  readonly connectionTracking?: Readonly<Record<string, number>> | undefined;
}

/**
 * Who goes first where calls compete for EC2's rates. `safety`: a stop, a launch, the proof of a
 * fence. `chore`: what can wait without harm (collection, tags, evidence, trials).
 */
export type CallUrgency = 'safety' | 'usual' | 'chore';

export interface CloudCallOptions {
  /** Aborts the wait, not the effect: an aborted mutating call throws `CLOUD_OUTCOME_UNKNOWN`. */
  readonly signal?: AbortSignal;
  /**
   * Asked synchronously at the last moment before the request leaves, after any wait for a
   * rate-limit token and after signing. `false`: the request is not sent, and `LEASE_LOST` is
   * thrown. A process that was paused while it waited must not send what it was allowed to send
   * before.
   */
  readonly mayStart?: () => boolean;
  /**
   * Own monotonic time after which the request is not sent any more: it fails with
   * `CLOUD_THROTTLED`, unsent.
   */
  readonly notAfterMs?: number;
  /** Default: as urgent as its action is. */
  readonly urgency?: CallUrgency;
  /** Who asks, e.g. a recovery: where calls wait, callers take turns. */
  readonly caller?: string;
  /**
   * A read that fails in passing is repeated a few times within seconds. This is for work that
   * takes many reads, all of which must succeed. Default: sent once.
   */
  readonly repeat?: boolean;
}

/** Where a volume is attached, or is to be. */
export interface VolumePlace {
  readonly volumeId: string;
  readonly instanceId: string;
  readonly deviceName: string;
}

/** A copy of a volume, said in full: EC2 would choose otherwise than the source has it. */
export interface CopyVolumeRequest {
  readonly clientToken: string;
  readonly sourceVolumeId: string;
  readonly volumeType: string;
  readonly iops: number | null;
  readonly throughputMiBps: number | null;
  /** Null: as the source. */
  readonly kmsKeyId: string | null;
  readonly tags: Tags;
}

export interface Cloud {
  // reads
  /**
   * Instances that fit the filters. While a zone is impaired EC2 fails every describe that names
   * something there or names nothing. When it is asked with `instance-id` (`volume-id`,
   * `network-interface-id`) alone, only the zones of those ids need to be healthy. Ids EC2 does not
   * know are left out.
   */
  describeInstances(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudInstance[]>;
  /**
   * Instances that carry any of these tag keys, with those tags. It needs no zone to be healthy.
   */
  describeInstanceTags(keys: readonly string[], options?: CloudCallOptions): Promise<readonly CloudTagged[]>;
  describeInstanceStatus(
    instanceIds: readonly string[],
    options?: CloudCallOptions,
  ): Promise<readonly CloudInstanceStatus[]>;
  describeVolumes(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudVolume[]>;
  /** Those of the volumes of which EC2's own checks say that they are impaired. */
  describeImpairedVolumes(volumeIds: readonly string[], options?: CloudCallOptions): Promise<readonly string[]>;
  describeSnapshots(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudSnapshot[]>;
  describeImages(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudImage[]>;
  describeNetworkInterfaces(
    filters: CloudFilters,
    options?: CloudCallOptions,
  ): Promise<readonly CloudNetworkInterface[]>;
  describeAddresses(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudAddress[]>;
  describeSubnets(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudSubnet[]>;
  /** Base64 as EC2 keeps it. Null when there is none. */
  describeUserData(instanceId: string, options?: CloudCallOptions): Promise<string | null>;
  describeProtection(
    instanceId: string,
    options?: CloudCallOptions,
  ): Promise<{ readonly stop: boolean; readonly termination: boolean }>;
  /** What the guest's own shutdown does. Null when EC2 does not say. */
  describeShutdownBehavior(instanceId: string, options?: CloudCallOptions): Promise<'stop' | 'terminate' | null>;
  /**
   * `standard` or `unlimited`. Null when EC2 does not say. Ask for burstable types only, because
   * EC2 refuses the others.
   */
  describeCpuCredits(instanceId: string, options?: CloudCallOptions): Promise<string | null>;
  /** The named types that EC2 knows. At most 200 names. */
  describeInstanceTypes(
    instanceTypes: readonly string[],
    options?: CloudCallOptions,
  ): Promise<readonly CloudInstanceType[]>;
  /** Where the named types are sold. At most 200 names. */
  describeTypeOfferings(
    instanceTypes: readonly string[],
    options?: CloudCallOptions,
  ): Promise<readonly { readonly instanceType: string; readonly az: string }[]>;
  /** True when a key pair of this name exists. */
  hasKeyPair(keyName: string, options?: CloudCallOptions): Promise<boolean>;
  /**
   * Finds the group by its id where that is known (a shared one then too), otherwise by its name.
   * False: EC2 knows none, or it is being deleted.
   */
  hasPlacementGroup(
    group: { readonly groupId: string | null; readonly groupName: string | null },
    options?: CloudCallOptions,
  ): Promise<boolean>;
  /** Null: EC2 knows none. */
  describeCapacityReservation(
    reservationId: string,
    options?: CloudCallOptions,
  ): Promise<CloudCapacityReservation | null>;
  /** Routes in the VPC's route tables that lead to an instance or a network interface. */
  describeRoutes(vpcId: string, options?: CloudCallOptions): Promise<readonly CloudRoute[]>;
  /**
   * Asks whether EC2 would take this launch: `RunInstances` with `DryRun`, which never launches.
   * Resolves when it would. EC2 does not check everything.
   * @throws as {@link Cloud.runInstances}
   */
  tryLaunch(request: Readonly<Record<string, unknown>>, options?: CloudCallOptions): Promise<void>;
  /**
   * Asks whether EC2 would allow the one mutating call that `call` makes (`DryRun`): nothing is
   * done. Resolves when it would. It checks permissions, and not whether everything named exists.
   * @throws what EC2 would answer to the call
   */
  tryCall(
    call: (cloud: Cloud, options?: CloudCallOptions) => Promise<unknown>,
    options?: CloudCallOptions,
  ): Promise<void>;
  /**
   * Output of an instance, also of a stopped one, and for about an hour of a terminated one. Null
   * when EC2 has none.
   */
  consoleOutput(instanceId: string, options?: CloudCallOptions): Promise<CloudConsoleOutput | null>;
  // fence
  stopInstance(
    instanceId: string,
    how: { force: boolean; skipOsShutdown: boolean },
    options?: CloudCallOptions,
  ): Promise<void>;
  /**
   * Asks a running instance to reboot; one that does not answer is forced after about four minutes.
   * The state stays `running`. `CLOUD_CONFLICT`: it does not run. A repeat reboots it once more.
   */
  rebootInstance(instanceId: string, options?: CloudCallOptions): Promise<void>;
  terminateInstance(instanceId: string, options?: CloudCallOptions): Promise<void>;
  setProtection(
    instanceId: string,
    protection: { stop?: boolean; termination?: boolean },
    options?: CloudCallOptions,
  ): Promise<void>;
  /** Whether AWS may move the instance at a reboot it has scheduled: `default` or `disabled`. */
  setRebootMigration(instanceId: string, value: string, options?: CloudCallOptions): Promise<void>;
  /** Whether DNS answers for the resource name of the instance. */
  setDnsRecords(instanceId: string, records: { a: boolean; aaaa: boolean }, options?: CloudCallOptions): Promise<void>;
  setDeleteOnTermination(
    instanceId: string,
    deviceName: string,
    value: boolean,
    options?: CloudCallOptions,
  ): Promise<void>;
  // disks of a stopped instance
  /** Starts a stopped instance. Repeats while it starts or runs are harmless. */
  startInstance(instanceId: string, options?: CloudCallOptions): Promise<void>;
  /**
   * Attaches a volume that is attached to nothing. It is kept when the instance is terminated.
   * `CLOUD_CONFLICT`: the volume or the device is in use, or the instance is in motion or
   * terminated. A repeat is one, too, so look.
   */
  attachVolume(place: VolumePlace, options?: CloudCallOptions): Promise<void>;
  /**
   * Detaches the volume from this instance and no other: `CLOUD_CONFLICT` or `CLOUD_NOT_FOUND` when
   * it is not attached there. The root disk of an instance that is not stopped is refused, too.
   */
  detachVolume(place: VolumePlace, options?: CloudCallOptions): Promise<void>;
  /** `userData`: base64, as {@link Cloud.describeUserData} tells it. Of a stopped instance only. */
  setUserData(instanceId: string, userData: string, options?: CloudCallOptions): Promise<void>;
  // capture
  /**
   * Copies the volume as it is at this moment, within its zone. Idempotent by its token. One copy
   * per source and five per Region may be under way: `CLOUD_REJECTED` or `CLOUD_THROTTLED` then.
   */
  copyVolume(request: CopyVolumeRequest, options?: CloudCallOptions): Promise<{ readonly volumeId: string }>;
  /**
   * Snapshots all volumes of the instance: crash-consistent, all or nothing. Not idempotent: no
   * ClientToken exists.
   */
  createSnapshots(
    request: { readonly instanceId: string; readonly description: string; readonly tags: Tags },
    options?: CloudCallOptions,
  ): Promise<readonly CloudSnapshot[]>;
  registerImage(request: RegisterImageRequest, options?: CloudCallOptions): Promise<{ readonly imageId: string }>;
  deregisterImage(imageId: string, options?: CloudCallOptions): Promise<void>;
  deleteSnapshot(snapshotId: string, options?: CloudCallOptions): Promise<void>;
  /** Refused while it is attached. */
  deleteVolume(volumeId: string, options?: CloudCallOptions): Promise<void>;
  // permit and launch
  createNetworkInterface(
    request: CreateNetworkInterfaceRequest,
    options?: CloudCallOptions,
  ): Promise<CloudNetworkInterface>;
  deleteNetworkInterface(networkInterfaceId: string, options?: CloudCallOptions): Promise<void>;
  setNetworkInterfaceAttributes(
    networkInterfaceId: string,
    attributes: {
      readonly sourceDestCheck?: boolean;
      readonly deleteOnTermination?: { readonly attachmentId: string; readonly value: boolean };
    },
    options?: CloudCallOptions,
  ): Promise<void>;
  runInstances(request: LaunchRequest, options?: CloudCallOptions): Promise<CloudInstance>;
  // identity
  /**
   * Sent with `AllowReassociation: false`, so it fails with `CLOUD_CONFLICT` when the address is
   * associated elsewhere.
   */
  associateAddress(
    request: { readonly allocationId: string; readonly networkInterfaceId: string; readonly privateIp: string | null },
    options?: CloudCallOptions,
  ): Promise<{ readonly associationId: string }>;
  /** Removes exactly this association. One that is gone is a success. */
  disassociateAddress(associationId: string, options?: CloudCallOptions): Promise<void>;
  /**
   * Assigns one address or prefix. It is never taken from another interface (no
   * `AllowReassignment`): `CLOUD_CONFLICT` when it is assigned elsewhere.
   */
  assignAddress(request: AssignedAddress, options?: CloudCallOptions): Promise<void>;
  /** Takes it off exactly this interface. Where it is not assigned to it, that is a success. */
  unassignAddress(request: AssignedAddress, options?: CloudCallOptions): Promise<void>;
  /** `CLOUD_CONFLICT` when it is attached to anything. It is not deleted with its instance then. */
  attachNetworkInterface(
    request: {
      readonly networkInterfaceId: string;
      readonly instanceId: string;
      readonly deviceIndex: number;
      readonly networkCardIndex: number;
    },
    options?: CloudCallOptions,
  ): Promise<{ readonly attachmentId: string }>;
  /** Removes exactly this attachment, without force. One that is gone is a success. */
  detachNetworkInterface(attachmentId: string, options?: CloudCallOptions): Promise<void>;
  createTags(resourceIds: readonly string[], tags: Tags, options?: CloudCallOptions): Promise<void>;
  /** Takes tags off by key, whatever they say. Those that are not there are a success. */
  deleteTags(resourceIds: readonly string[], keys: readonly string[], options?: CloudCallOptions): Promise<void>;
}
