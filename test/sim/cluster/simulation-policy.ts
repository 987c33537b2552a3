import { DEFAULT_LADDER, type GroupPolicy, ServiceProbeSchema } from '@understudy/shared';
import { joinedChanges, type PolicyChange } from '@understudy/shared/testing';
import type { ClusterShape } from './simulated-cluster.ts';

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

const REATTACH: Partial<GroupPolicy['recover']> = {
  strategy: 'reattach',
  ladder: { ...DEFAULT_LADDER, rungs: ['reattach', 'snapshot-and-replace'] },
};

/** The policy of a simulated cluster of that shape. */
export function simulationPolicy(
  { probes, serveLease, ladder, reattach }: Pick<ClusterShape, 'probes' | 'serveLease' | 'ladder' | 'reattach'>,
  placements: GroupPolicy['recover']['placements'],
): PolicyChange {
  return joinedChanges(SHORTER_WAITS, probes === true ? PROBED : {}, {
    recover: {
      placements,
      serveLease: serveLease === true ? SERVE_LEASE : null,
      ...(ladder === true && { ladder: DEFAULT_LADDER }),
      ...(reattach === true && REATTACH),
    },
  });
}
