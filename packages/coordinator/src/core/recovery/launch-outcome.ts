import type { CloudInstance, OperationError } from '@understudy/shared';

/**
 * Why a placement attempt ended. `capacity`: the same placement may work later. `placement`: this candidate never will.
 * `instance`: it launched, but died or did not verify.
 */
export type AttemptFailure = 'capacity' | 'placement' | 'instance';

export type CallAdvice =
  /** Certainly not applied; the same call again, after a pause. */
  | { readonly kind: 'again' }
  /** Look what happened before anything else. */
  | { readonly kind: 'observe' }
  /** EC2 does not see a part yet (eventual consistency): same call again for a while, then it is a failed attempt. */
  | { readonly kind: 'lag' }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  /** Nothing was made, and another placement would not help: a person has to look. The same frozen call is sent again on resume. */
  | { readonly kind: 'refused'; readonly reason: 'CloudDenied' | 'CloudRejected' };

/** EC2 codes that condemn the candidate, not the request (ec2-facts §9, EC2 API error codes). */
const PLACEMENT_CODES: ReadonlySet<string> = new Set([
  'Unsupported',
  'UnsupportedOperation',
  'VolumeTypeNotAvailableInZone',
  'UnknownVolumeType',
  'InvalidAvailabilityZone',
  'InvalidZone.NotFound',
  'InvalidSubnet',
  'InvalidSubnetID.NotFound',
  'InvalidSubnetId.NotFound',
]);

/** Limits of the account or the subnet: they pass, or a person lifts them. */
const CAPACITY_CODES: ReadonlySet<string> = new Set([
  'InsufficientFreeAddressesInSubnet',
  'InstanceLimitExceeded',
  'VcpuLimitExceeded',
]);

/** What an error of CreateNetworkInterface or RunInstances tells about the attempt. */
export function adviseOnLaunchError(error: OperationError): CallAdvice {
  const upstream = error.upstreamCode ?? '';
  if (upstream === 'IdempotentInstanceTerminated') return { kind: 'failed', failure: 'instance' };
  if (CAPACITY_CODES.has(upstream)) return { kind: 'failed', failure: 'capacity' };
  if (PLACEMENT_CODES.has(upstream)) return { kind: 'failed', failure: 'placement' };
  switch (error.code) {
    case 'CLOUD_CAPACITY':
      return { kind: 'failed', failure: 'capacity' };
    case 'CLOUD_THROTTLED':
    case 'CLOUD_UNAVAILABLE':
      return { kind: 'again' };
    case 'CLOUD_NOT_FOUND':
      return { kind: 'lag' };
    case 'CLOUD_DENIED':
      return { kind: 'refused', reason: 'CloudDenied' };
    case 'CLOUD_REJECTED':
      // The token was used with other parameters: something was launched under it, or is being launched.
      return upstream === 'IdempotentParameterMismatch'
        ? { kind: 'observe' }
        : { kind: 'refused', reason: 'CloudRejected' };
    default:
      return { kind: 'observe' };
  }
}

/** What three independent reads show of one launch attempt. */
export interface LaunchSeen {
  /** By the `client-token` filter. */
  readonly byToken: readonly CloudInstance[];
  /** By the recovery's and the attempt's tags. */
  readonly byTags: readonly CloudInstance[];
  /** Instance the permit is attached to. */
  readonly permitHolder: string | null;
}

export type LaunchFinding =
  | { readonly kind: 'none' }
  | { readonly kind: 'launched'; readonly instanceId: string }
  /** More than one: must never happen. */
  | { readonly kind: 'several'; readonly instanceIds: readonly string[] };

/**
 * Did this attempt launch? Tags alone prove nothing (people copy them): an instance found by tags counts only with the attempt's token or
 * its permit.
 */
export function findLaunched(seen: LaunchSeen, clientToken: string, permitId: string): LaunchFinding {
  const tagged = seen.byTags.filter(
    (one) =>
      one.clientToken === clientToken || one.networkInterfaces.some((eni) => eni.networkInterfaceId === permitId),
  );
  const ids = new Set([...seen.byToken, ...tagged].map((one) => one.instanceId));
  if (seen.permitHolder !== null) ids.add(seen.permitHolder);
  const [instanceId] = ids;
  if (instanceId === undefined) return { kind: 'none' };
  return ids.size === 1 ? { kind: 'launched', instanceId } : { kind: 'several', instanceIds: [...ids] };
}
