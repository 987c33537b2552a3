export interface CloudImage {
  readonly imageId: string;
  readonly name: string;
  /** As EC2 bills it, e.g. `Linux/UNIX`. Absent: EC2 does not say. */
  readonly platformDetails?: string;
  /** The account that owns it. Absent: EC2 does not say. */
  readonly ownerId?: string;
  /** `amazon`, `aws-marketplace` or `aws-backup-vault`, as EC2 vouches. Absent: somebody else's. */
  readonly ownerAlias?: string;
  /** `available`, `pending`, `failed` … */
  readonly state: string;
  readonly rootSnapshotId: string | null;
  readonly rootDeviceName: string | null;
  /** Devices that a launch of it gets beside the root, unless the launch says otherwise. */
  readonly otherDeviceNames: readonly string[];
  readonly bootMode: string | null;
  readonly enaSupport: boolean;
  readonly tpmSupport: string | null;
  readonly sriovNetSupport: string | null;
  readonly virtualizationType: string | null;
  readonly imdsSupport: string | null;
  readonly architecture: string | null;
  readonly tags: Readonly<Record<string, string>>;
}
