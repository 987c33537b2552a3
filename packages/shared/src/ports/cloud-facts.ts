/** What EC2 says about an instance type, as far as a launch needs it. */
export interface CloudInstanceType {
  readonly instanceType: string;
  readonly defaultCores: number | null;
  readonly defaultThreadsPerCore: number | null;
  readonly burstable: boolean;
  readonly instanceStorage: boolean;
  /**
   * Instance store disks, and whether they are NVMe. Others come only with `ephemeralN` mappings.
   */
  readonly instanceStoreDisks: number;
  readonly instanceStoreNvme: 'required' | 'supported' | 'unsupported' | null;
  /** `nitro` or `xen`. Null for bare metal, and when EC2 does not say. */
  readonly hypervisor: string | null;
  /** In these lists, an empty one means that EC2 does not say. */
  readonly architectures: readonly string[];
  readonly virtualizationTypes: readonly string[];
  readonly bootModes: readonly string[];
  readonly rootDeviceTypes: readonly string[];
  readonly usageClasses: readonly string[];
  /** `required`, `supported`, `unsupported`. Null when EC2 does not say. */
  readonly enaSupport: string | null;
  readonly nitroTpmSupport: string | null;
  /**
   * Volumes one instance takes. Null when EC2 does not say. `shared`: network interfaces and NVMe
   * instance store disks count too.
   */
  readonly maxAttachments: number | null;
  readonly attachmentLimit: 'shared' | 'dedicated' | null;
}

/** A capacity reservation. Null in a member: EC2 does not say. */
export interface CloudCapacityReservation {
  readonly reservationId: string;
  /** `active`, `expired`, `cancelled`, `scheduled` … Only an active one takes launches. */
  readonly state: string;
  readonly az: string | null;
  readonly instanceType: string | null;
  /** As `PlatformDetails` of an instance, but for `RHEL`. */
  readonly platform: string | null;
  /** `default` or `dedicated`. */
  readonly tenancy: string | null;
  /** Instances that can still be launched into it. */
  readonly available: number | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** One place, for a while, that only a launch which names it would take (`targeted`). */
export interface CreateCapacityReservationRequest {
  readonly clientToken: string;
  readonly instanceType: string;
  /** As `PlatformDetails` of an instance. */
  readonly platform: string;
  readonly az: string;
  readonly tenancy: 'default' | 'dedicated';
  /** EC2 ends it within an hour after that, whoever has forgotten it. */
  readonly endsAtWallMs: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** A route that leads to an instance or a network interface. */
export interface CloudRoute {
  readonly routeTableId: string;
  /** CIDR block or prefix list. */
  readonly destination: string;
  readonly instanceId: string | null;
  readonly networkInterfaceId: string | null;
}

/** What the machine wrote on its serial console. EC2 keeps the last 64 KiB. */
export interface CloudConsoleOutput {
  readonly text: string;
  /** When EC2 took it. Null when it does not say. */
  readonly takenAtWallMs: number | null;
}
