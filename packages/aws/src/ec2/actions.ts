/**
 * What we know of each EC2 action we call. The rates are from the EC2 Developer Guide,
 * ec2-api-throttling (per account and Region, per action).
 */
export interface Ec2ActionFacts {
  readonly mutating: boolean;
  /** Tokens the bucket holds. */
  readonly burst: number;
  readonly refillPerSecond: number;
  /** When calls compete for a connection, the lower number goes first. */
  readonly priority: 0 | 1 | 2;
}

const read: Ec2ActionFacts = { mutating: false, burst: 100, refillPerSecond: 20, priority: 2 };
const mutate: Ec2ActionFacts = { mutating: true, burst: 50, refillPerSecond: 5, priority: 1 };
const own = (burst: number, refillPerSecond: number): Ec2ActionFacts => ({ ...mutate, burst, refillPerSecond });
const first = (facts: Ec2ActionFacts): Ec2ActionFacts => ({ ...facts, priority: 0 });

/**
 * Describes are always sent with a filter or a page size, so the smaller "unfiltered" class does
 * not apply. The per-instance ("resource") buckets never bind either: each of our calls names one
 * instance, and those buckets are larger and refill no slower.
 */
export const EC2_ACTIONS = {
  DescribeInstances: read,
  DescribeInstanceStatus: read,
  DescribeInstanceAttribute: read,
  DescribeInstanceCreditSpecifications: read,
  DescribeInstanceTypes: read,
  DescribeInstanceTypeOfferings: read,
  DescribeKeyPairs: read,
  DescribePlacementGroups: read,
  DescribeCapacityReservations: read,
  DescribeRouteTables: read,
  DescribeVolumes: read,
  DescribeSnapshots: read,
  DescribeImages: read,
  DescribeNetworkInterfaces: read,
  DescribeAddresses: read,
  DescribeSubnets: read,
  DescribeTags: read,
  GetConsoleOutput: read,
  StopInstances: first(mutate),
  TerminateInstances: first(own(100, 5)),
  RunInstances: first(own(5, 2)),
  StartInstances: first(own(5, 2)),
  AttachVolume: mutate,
  DetachVolume: mutate,
  ModifyInstanceAttribute: mutate,
  CreateSnapshots: own(100, 5),
  DeleteSnapshot: own(100, 5),
  DeleteVolume: own(100, 5),
  RegisterImage: mutate,
  DeregisterImage: own(100, 5),
  CreateNetworkInterface: own(100, 5),
  DeleteNetworkInterface: own(100, 5),
  ModifyNetworkInterfaceAttribute: own(100, 5),
  AssociateAddress: mutate,
  DisassociateAddress: mutate,
  CreateTags: own(100, 10),
} as const satisfies Record<string, Ec2ActionFacts>;

export type Ec2Action = keyof typeof EC2_ACTIONS;

const FACTS: Readonly<Record<string, Ec2ActionFacts>> = EC2_ACTIONS;

/** Facts of an action. One we do not know counts as mutating, with EC2's default bucket. */
export const ec2ActionFacts = (action: string): Ec2ActionFacts => FACTS[action] ?? mutate;
