import type { CallUrgency } from '@understudy/shared';
import type { CallRates } from '../limiter/call-rates.ts';

/**
 * What we know of each EC2 action we call. The rates are from the EC2 Developer Guide,
 * ec2-api-throttling (per account and Region, per action).
 */
export interface Ec2ActionFacts {
  readonly mutating: boolean;
  /** Tokens the bucket holds. */
  readonly burst: number;
  readonly refillPerSecond: number;
  /** It holds for a call that does not say. Launches, stops and terminations go first. */
  readonly urgency: CallUrgency;
}

const read: Ec2ActionFacts = { mutating: false, burst: 100, refillPerSecond: 20, urgency: 'usual' };
const mutate: Ec2ActionFacts = { mutating: true, burst: 50, refillPerSecond: 5, urgency: 'usual' };
const own = (burst: number, refillPerSecond: number): Ec2ActionFacts => ({ ...mutate, burst, refillPerSecond });
const first = (facts: Ec2ActionFacts): Ec2ActionFacts => ({ ...facts, urgency: 'safety' });

/**
 * Describes are always sent with a filter or a page size, so the smaller "unfiltered" class does
 * not apply.
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
  DescribeVolumeStatus: read,
  DescribeSnapshots: read,
  DescribeImages: read,
  DescribeNetworkInterfaces: read,
  DescribeAddresses: read,
  DescribeSubnets: read,
  DescribeSecurityGroups: read,
  DescribeTags: read,
  GetConsoleOutput: read,
  StopInstances: first(mutate),
  TerminateInstances: first(own(100, 5)),
  RunInstances: first(own(5, 2)),
  RebootInstances: first(mutate),
  StartInstances: first(own(5, 2)),
  AttachVolume: mutate,
  DetachVolume: mutate,
  ModifyInstanceAttribute: mutate,
  ModifyInstanceMaintenanceOptions: mutate,
  ModifyPrivateDnsNameOptions: mutate,
  CopyVolumes: own(100, 5),
  CreateSnapshots: own(100, 5),
  DeleteSnapshot: own(100, 5),
  DeleteVolume: own(100, 5),
  RegisterImage: mutate,
  DeregisterImage: own(100, 5),
  CreateCapacityReservation: mutate,
  CancelCapacityReservation: mutate,
  CreateNetworkInterface: own(100, 5),
  DeleteNetworkInterface: own(100, 5),
  ModifyNetworkInterfaceAttribute: own(100, 5),
  AssociateAddress: mutate,
  DisassociateAddress: mutate,
  AssignPrivateIpAddresses: mutate,
  UnassignPrivateIpAddresses: mutate,
  AssignIpv6Addresses: own(100, 5),
  UnassignIpv6Addresses: own(100, 5),
  AttachNetworkInterface: mutate,
  DetachNetworkInterface: mutate,
  CreateTags: own(100, 10),
  DeleteTags: own(100, 10),
} as const satisfies Record<string, Ec2ActionFacts>;

/**
 * Buckets beside those of calls: one token per instance that a call names (same source, "resource
 * rate limits"). With one instance per call they bind only where others use the account, too.
 */
const RESOURCES: Readonly<Record<string, CallRates['resources']>> = {
  RunInstances: { burst: 1_000, refillPerSecond: 2 },
  StartInstances: { burst: 1_000, refillPerSecond: 2 },
  StopInstances: { burst: 1_000, refillPerSecond: 20 },
  TerminateInstances: { burst: 1_000, refillPerSecond: 20 },
};

export type Ec2Action = keyof typeof EC2_ACTIONS;

/**
 * **S** EC2 has no `DryRun` for these. The SDK leaves out what a request has no member for, so as a
 * question they would be done. A test holds the list against the SDK's own shapes.
 */
const WITHOUT_DRY_RUN: ReadonlySet<string> = new Set<Ec2Action>([
  'AssignPrivateIpAddresses',
  'UnassignPrivateIpAddresses',
  'AssignIpv6Addresses',
  'UnassignIpv6Addresses',
]);

/** Can EC2 be asked whether it would do this? What we do not know is never asked. */
export const knowsDryRun = (action: string): boolean =>
  Object.hasOwn(EC2_ACTIONS, action) && !WITHOUT_DRY_RUN.has(action);

/** Is it one of those that would be done as soon as they are asked? */
export const isDoneWhenAsked = (action: string): boolean => WITHOUT_DRY_RUN.has(action);

const FACTS: Readonly<Record<string, Ec2ActionFacts>> = EC2_ACTIONS;

/** Facts of an action. One we do not know counts as mutating, with EC2's default bucket. */
export const ec2ActionFacts = (action: string): Ec2ActionFacts => FACTS[action] ?? mutate;

/** The documented rates of an action, and how urgent it is. */
export function ec2CallRates(action: string): CallRates {
  const { burst, refillPerSecond, urgency, mutating } = ec2ActionFacts(action);
  return { requests: { burst, refillPerSecond }, resources: RESOURCES[action] ?? null, urgency, mutating };
}
