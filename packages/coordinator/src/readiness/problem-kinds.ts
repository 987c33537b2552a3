import type { BlockerKind } from '@understudy/shared';

/**
 * The kind of each problem that a plan names. One that is not here is `plan`, as most are rules
 * about one attribute.
 */
const KINDS: Readonly<Record<string, BlockerKind>> = {
  PermissionMissing: 'permission',
  LaunchDenied: 'permission',
  CLOUD_DENIED: 'permission',
  KmsKeyUnusable: 'key',
  KmsKeyUnnamed: 'key',
  KmsKeyNotChecked: 'key',
  SeedImageGone: 'image',
  SeedImageUnfit: 'image',
  SeedImageUnproven: 'image',
  SeedImageIsMember: 'image',
  PlacementReservationGone: 'capacity',
  PlacementReservationMisfit: 'capacity',
  CapacityReservationGone: 'capacity',
  PlacementNotOffered: 'capacity',
  NoPlacement: 'place',
  NoPlacementOutsideZone: 'place',
  PlacementSubnetUnknown: 'place',
  PlacementInOtherVpc: 'place',
  InstanceGone: 'gone',
  KeyPairGone: 'gone',
  InstanceProfileGone: 'gone',
  PlacementGroupGone: 'gone',
};

export const kindOfProblem = (code: string): BlockerKind => KINDS[code] ?? 'plan';

/** These stop a recovery although its plan can be made: EC2 would refuse what it sends. */
const STOPS: ReadonlySet<string> = new Set([
  ...['PermissionMissing', 'LaunchDenied', 'CLOUD_DENIED', 'CLOUD_REJECTED', 'LaunchRefused', 'KmsKeyUnusable'],
]);

export const stopsItself = (code: string): boolean => STOPS.has(code);
