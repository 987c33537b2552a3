import { CHECK_SLOTS, checkCodeName, durationText, type GroupPolicy, type MonotonicMs } from '@understudy/shared';
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
  const { suspectAfterMs, degradedFailsAfterMs } = policy;
  const fresh = nowMs - workload.lastHeardAtMs < suspectAfterMs;
  const items = workloadEvidence(workload, suspectAfterMs, nowMs);
  if (workload.failingSinceMs === null) return { ...HEALTHY, evidence: items };
  const failingForMs = nowMs - workload.failingSinceMs;
  return {
    degraded: fresh,
    failingForMs,
    failed: fresh && degradedFailsAfterMs > 0 && failingForMs >= degradedFailsAfterMs,
    text: failingChecks(workload),
    evidence: items,
  };
}

const nameOf = (slot: number): string => CHECK_SLOTS[slot] ?? `check ${slot}`;

function failingChecks(workload: WorkloadReading): string {
  const failing = workload.checks.flatMap((check, slot) =>
    check.status === 'fail' ? [`${nameOf(slot)}: ${checkCodeName(check.code)}`] : [],
  );
  return failing.length > 0 ? failing.join(', ') : 'none fails';
}

/** The agent's word as a whole, then each check that does not pass, as old as its own last run and not as the heartbeat that told of it. */
function workloadEvidence(workload: WorkloadReading, freshForMs: number, nowMs: MonotonicMs): EvidenceItem[] {
  const heardAgoMs = nowMs - workload.lastHeardAtMs;
  const item = (source: string, text: string, ageMs: number): EvidenceItem => {
    const counts = heardAgoMs < freshForMs ? text : `${text}; too old to count`;
    return { source, text: counts, ageMs, freshForMs, weight: 'neutral' };
  };
  const { failingSinceMs } = workload;
  const since = failingSinceMs === null ? '' : `, failing for ${durationText(nowMs - failingSinceMs)}`;
  const checks = workload.checks.flatMap(({ status, code, ageSeconds }, slot) => {
    if (status === 'pass' || status === 'absent') return [];
    const why = code === 0 ? status : `${status}, ${checkCodeName(code)}`;
    return [{ ...item(`agent check ${nameOf(slot)}`, why, heardAgoMs + ageSeconds * 1_000), freshForMs: null }];
  });
  return [item('agent checks', `${failingChecks(workload)}${since}`, heardAgoMs), ...checks];
}
