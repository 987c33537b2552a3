import { type GroupPolicy, ServiceProbeSchema } from '@understudy/shared';
import { joinedChanges, type PolicyChange } from '@understudy/shared/testing';
import type { ClusterShape } from './simulated-cluster.ts';
import { type Way, worldPolicy } from './world.ts';

/** Production defaults, but for waits that would make a simulated hour as empty as a real one. */
const SHORTER_WAITS: PolicyChange = {
  guard: { cooldownMs: 120_000, flapLimit: 50, flapWindowMs: 3_600_000, concurrency: 3 },
  recover: { retainForMs: 600_000, retainCaptureForMs: 600_000, captureTimeoutMs: 3_600_000, verifyTimeoutMs: 180_000 },
};
/**
 * Answers that delay `dead` for a minute: an agent that died alone is still replaced within an
 * episode.
 */
const PROBED: PolicyChange = {
  detect: { serviceProbes: [ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432 })], answeredProbesHoldForMs: 60_000 },
};
/**
 * EC2 gets no longer than the lease takes anyway: the sooner a promise is relied on, the harder it
 * is tested.
 */
const SERVE_LEASE: GroupPolicy['recover']['serveLease'] = {
  stopWithinMs: 60_000,
  requireWatchdog: true,
  fenceAfterMs: 0,
};

type Shape = Omit<ClusterShape, 'seed' | 'members' | 'coordinators'>;

const wayOf = ({ way, ladder, reattach }: Shape): Way =>
  way ?? (ladder === true ? 'ladder' : reattach === true ? 'reattach' : 'snapshots');

/** The policy of a simulated cluster of that shape. */
export function simulationPolicy(shape: Shape, placements: GroupPolicy['recover']['placements']): PolicyChange {
  const { probes, serveLease, places = null, prepare = 'nothing', makes = false, follows = false } = shape;
  return joinedChanges(
    SHORTER_WAITS,
    probes === true ? PROBED : {},
    { recover: { placements, serveLease: serveLease === true ? SERVE_LEASE : null } },
    ...worldPolicy(
      { way: wayOf(shape), places, prepare, makes, follows },
      placements.map((one) => one.subnetId),
    ),
  );
}
