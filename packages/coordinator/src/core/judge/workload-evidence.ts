import { CHECK_SLOTS, checkCodeName, type GroupPolicy, type MonotonicMs } from '@understudy/shared';
import type { EvidenceItem, MemberEvidence, WorkloadReading } from './evidence.ts';

export interface WorkloadFinding {
  readonly degraded: boolean;
  readonly failingForMs: number;
  /** Failing for so long that the policy counts it as a failure. */
  readonly failed: boolean;
  readonly text: string;
  readonly evidence: readonly EvidenceItem[];
}

const HEALTHY: WorkloadFinding = { degraded: false, failingForMs: 0, failed: false, text: '', evidence: [] };

/** Failing checks count only while the agent is heard: they are its word, and its word must be fresh. */
export function readWorkload(evidence: MemberEvidence, policy: GroupPolicy, nowMs: MonotonicMs): WorkloadFinding {
  const { workload } = evidence;
  if (!workload) return HEALTHY;
  const ageMs = nowMs - workload.lastHeardAtMs;
  const text = failingChecks(workload);
  if (workload.failingSinceMs === null)
    return { ...HEALTHY, evidence: [{ source: 'agent checks', text: 'none fails', ageMs, weight: 'neutral' }] };
  const fresh = ageMs < policy.suspectAfterMs;
  const failingForMs = nowMs - workload.failingSinceMs;
  return {
    degraded: fresh,
    failingForMs,
    failed: fresh && policy.degradedFailsAfterMs > 0 && failingForMs >= policy.degradedFailsAfterMs,
    text,
    evidence: [
      {
        source: 'agent checks',
        text: fresh ? text : `${text}; too old to count`,
        ageMs,
        weight: 'neutral',
      },
    ],
  };
}

function failingChecks(workload: WorkloadReading): string {
  const failing = workload.checks.flatMap((check, slot) =>
    check.status === 'fail' ? [`${CHECK_SLOTS[slot] ?? `check ${slot}`}: ${checkCodeName(check.code)}`] : [],
  );
  return failing.length > 0 ? failing.join(', ') : 'none fails';
}
