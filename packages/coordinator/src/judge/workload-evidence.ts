import {
  CHECK_SLOTS,
  type CheckCode,
  checkCodeName,
  durationText,
  type GroupPolicy,
  type MonotonicMs,
} from '@understudy/shared';
import type { EvidenceItem, MemberEvidence, TimedCheck, WorkloadReading } from './evidence.ts';
import { STATUS_FRESH_MS } from './status-reading.ts';

export interface WorkloadFinding {
  readonly degraded: boolean;
  /** How long the check that has failed longest has failed without a break. 0 when none fails. */
  readonly failingForMs: number;
  /** True when one check has failed for so long that the policy counts it as a failure. */
  readonly failed: boolean;
  readonly text: string;
  readonly evidence: readonly EvidenceItem[];
}

/**
 * A check that fails now. Each has a clock of its own, so that two checks which take turns never
 * add up.
 */
interface Failing {
  readonly text: string;
  /** Null: not timed. The member is then degraded, and never failed for it. */
  readonly forMs: number | null;
}

/**
 * Failing checks count only while their source is fresh: the agent's while it is heard, EC2's for
 * {@link STATUS_FRESH_MS}.
 */
export function readWorkload(evidence: MemberEvidence, policy: GroupPolicy, nowMs: MonotonicMs): WorkloadFinding {
  const { workload } = evidence;
  const {
    detect: { suspectAfterMs, degradedFailsAfterMs },
  } = policy;
  const failing = [...agentFailing(workload, suspectAfterMs, nowMs), ...ebsFailing(evidence, nowMs)];
  const failingForMs = Math.floor(Math.max(0, ...failing.map((one) => one.forMs ?? 0)));
  return {
    degraded: failing.length > 0,
    failingForMs,
    failed: degradedFailsAfterMs > 0 && failingForMs >= degradedFailsAfterMs,
    text: failing.map(failingText).join(', '),
    evidence: workload ? workloadEvidence(workload, suspectAfterMs, nowMs) : [],
  };
}

const nameOf = (slot: number): string => CHECK_SLOTS[slot] ?? `check ${slot}`;

const failingText = ({ text, forMs }: Failing): string =>
  forMs === null ? `${text}, not timed` : `${text} for ${durationText(forMs)}`;

const failingFor = ({ failingSinceMs }: TimedCheck, nowMs: MonotonicMs): number | null =>
  failingSinceMs === null ? null : Math.max(0, nowMs - failingSinceMs);

function agentFailing(workload: WorkloadReading | null, freshForMs: number, nowMs: MonotonicMs): Failing[] {
  if (!workload || nowMs - workload.lastHeardAtMs >= freshForMs) return [];
  return workload.checks.flatMap((check, slot) =>
    check.status === 'fail'
      ? [{ text: `${nameOf(slot)}: ${checkCodeName(check.code)}`, forMs: failingFor(check, nowMs) }]
      : [],
  );
}

/** The failure is proven up to EC2's last answer, not up to now. */
function ebsFailing({ cloudStatus }: MemberEvidence, nowMs: MonotonicMs): Failing[] {
  if (!cloudStatus || nowMs - cloudStatus.readAtMs > STATUS_FRESH_MS) return [];
  const { status, readAtMs, ebsImpairedSinceMs } = cloudStatus;
  if (status.attachedEbs !== 'impaired') return [];
  return [
    { text: 'attached EBS: impaired', forMs: ebsImpairedSinceMs === null ? null : readAtMs - ebsImpairedSinceMs },
  ];
}

/**
 * What EC2 has told the instance itself about its future, by the code of the metadata check. These
 * are shown and never counted, because the instance still runs.
 */
const NOTICES: Partial<Readonly<Record<CheckCode | `code-${number}`, string>>> = {
  spotNotice: 'EC2 takes this Spot instance back, two minutes after its notice at the latest',
  rebalanceRecommended: 'EC2 expects to take this Spot instance back soon',
  maintenanceScheduled: 'EC2 has planned maintenance of this instance',
};

/**
 * The agent's word as a whole, then each check that does not pass. A check is as old as its own
 * last run, not as the heartbeat that told of it.
 */
function workloadEvidence(workload: WorkloadReading, freshForMs: number, nowMs: MonotonicMs): EvidenceItem[] {
  const heardAgoMs = nowMs - workload.lastHeardAtMs;
  const item = (source: string, text: string, ageMs: number, fresh: number | null): EvidenceItem => {
    const counts = heardAgoMs < freshForMs ? text : `${text}; too old to count`;
    return { source, text: counts, ageMs, freshForMs: fresh, weight: 'neutral' };
  };
  const failing = workload.checks.flatMap((check, slot) =>
    check.status === 'fail' ? [`${nameOf(slot)}: ${checkCodeName(check.code)}`] : [],
  );
  const checks = workload.checks.flatMap((check, slot) => {
    if (check.status === 'pass' || check.status === 'absent') return [];
    const ageMs = heardAgoMs + check.ageSeconds * 1_000;
    const notice = NOTICES[checkCodeName(check.code)];
    const said = item(`agent check ${nameOf(slot)}`, checkText(check, nowMs), ageMs, null);
    return notice === undefined ? [said] : [said, item('instance notice', notice, ageMs, null)];
  });
  const all = failing.length > 0 ? failing.join(', ') : 'none fails';
  return [item('agent checks', all, heardAgoMs, freshForMs), ...checks];
}

function checkText(check: TimedCheck, nowMs: MonotonicMs): string {
  const why = check.code === 0 ? check.status : `${check.status}, ${checkCodeName(check.code)}`;
  if (check.status !== 'fail') return why;
  const forMs = failingFor(check, nowMs);
  return forMs === null
    ? `${why}; not timed, too many agents have failing checks`
    : `${why}, failing for ${durationText(forMs)}`;
}
