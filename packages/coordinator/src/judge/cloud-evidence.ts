import { durationText, type GroupPolicy, type MonotonicMs } from '@understudy/shared';
import { ageOf, isInBootGrace } from './boot-grace.ts';
import type { AssessReason, CloudStatusReading, EvidenceItem, MemberEvidence } from './evidence.ts';
import { STATUS_FRESH_MS } from './status-reading.ts';

/** What EC2's answer means for the verdict, before any silence is considered. */
export type CloudFinding =
  /** It runs, as far as EC2 knows: silence decides. */
  | { readonly kind: 'running' }
  /** It does not run, and not because a person wanted it. */
  | { readonly kind: 'failed'; readonly code: 'FailedByEc2' | 'OsShutdown'; readonly text: string }
  /** It does not run because a person wanted it. */
  | {
      readonly kind: 'left';
      readonly code: 'OperatorStopped' | 'OperatorHibernated' | 'OsShutdown';
      readonly text: string;
    }
  /** Nothing may be concluded from silence. */
  | {
      readonly kind: 'hold';
      readonly verdict: 'unknown' | 'suspect';
      readonly code: AssessReason;
      readonly text: string;
    };

/**
 * How old EC2's answer may be. It must not be older than the silence itself, so that a stop which
 * an operator asked for is seen before the silence it causes is judged. `dead` takes
 * `suspectAfterMs + confirmForMs` of silence, so a younger answer is from after its start. Half of
 * the confirmation time is left as margin for EC2's eventual consistency.
 */
export const cloudFreshForMs = (policy: GroupPolicy): number =>
  policy.detect.suspectAfterMs + policy.detect.confirmForMs / 2;

const hold = (code: AssessReason, text: string, verdict: 'unknown' | 'suspect' = 'unknown'): CloudFinding => ({
  kind: 'hold',
  verdict,
  code,
  text,
});

/**
 * An unreadable or stale answer means hold, never `dead`. EC2 is needed for the fence anyway, so
 * nothing could be recovered meanwhile. Without its answer a deliberate stop looks exactly like a
 * failure.
 */
export function readCloud(evidence: MemberEvidence, policy: GroupPolicy, nowMs: MonotonicMs): CloudFinding {
  const { cloud } = evidence;
  if (!cloud)
    return hold('Ec2Unreadable', 'EC2 has not been readable: a deliberate stop cannot be told from a failure');
  const ageMs = nowMs - cloud.readAtMs;
  if (ageMs > cloudFreshForMs(policy))
    return hold(
      'Ec2Stale',
      `EC2's last answer is ${durationText(ageMs)} old, older than the ${durationText(cloudFreshForMs(policy))} allowed`,
    );
  const { instance } = cloud;
  if (!instance)
    return hold('Ec2DoesNotKnowIt', `EC2 does not know ${evidence.instanceId}, which proves neither life nor death`);
  if (instance.state === 'pending') return hold('Starting', 'EC2 says pending: it is still starting', 'suspect');
  if (instance.state === 'running') return bootGrace(evidence, policy, instance.launchedAtWallMs);
  return readStop(policy, instance.state, instance.stateReasonCode);
}

function bootGrace(evidence: MemberEvidence, policy: GroupPolicy, launchedAtWallMs: number): CloudFinding {
  const ageMs = ageOf(launchedAtWallMs, evidence.wallNowMs);
  if (ageMs === null || !isInBootGrace(ageMs, policy)) return { kind: 'running' };
  return hold(
    'BootGrace',
    `it was started ${durationText(ageMs)} ago, within the boot grace of ${durationText(policy.guard.bootGraceMs)}`,
    'suspect',
  );
}

/**
 * What `StateReason.Code` says (EC2 API, StateReason). A code that is unlisted or absent allows no
 * conclusion, because a wrong one replaces a machine that a person stopped. The mark of a retired
 * instance says nothing here: anybody can write it, and it may land late. Whether the stop was ours
 * is `own-stop.ts`'s matter, which knows what was started since.
 */
function readStop(policy: GroupPolicy, state: string, code: string | null): CloudFinding {
  if (code?.startsWith('Server.'))
    return { kind: 'failed', code: 'FailedByEc2', text: `EC2 says ${state} because of ${code}` };
  if (code === 'Client.InstanceInitiatedShutdown')
    return {
      kind: policy.detect.recoverOsShutdown ? 'failed' : 'left',
      code: 'OsShutdown',
      text: `the operating system shut itself down (${state})`,
    };
  if (code === 'Client.UserInitiatedShutdown' || code === 'Client.UserInitiatedHibernate')
    return operatorStop(policy, state, code);
  return hold(
    'StoppedUnexplained',
    `EC2 says ${state} and gives ${code ?? 'no reason'}: neither a failure nor an operator's stop for certain`,
  );
}

function operatorStop(policy: GroupPolicy, state: string, code: string): CloudFinding {
  const text = `an operator asked for it: EC2 says ${state} because of ${code}`;
  if (policy.detect.recoverOperatorStops)
    return { kind: 'failed', code: 'FailedByEc2', text: `${text}; the policy recovers such stops` };
  return { kind: 'left', code: code.endsWith('Hibernate') ? 'OperatorHibernated' : 'OperatorStopped', text };
}

export function cloudEvidence(
  evidence: MemberEvidence,
  policy: GroupPolicy,
  finding: CloudFinding,
  nowMs: MonotonicMs,
): EvidenceItem[] {
  const { cloud } = evidence;
  const ageMs = cloud ? nowMs - cloud.readAtMs : null;
  const stale = (ageMs ?? 0) > cloudFreshForMs(policy);
  const text = !cloud
    ? 'not readable'
    : cloud.instance
      ? `${cloud.instance.state}${cloud.instance.stateReasonCode ? ` (${cloud.instance.stateReasonCode})` : ''}`
      : 'does not know it';
  const weight = finding.kind === 'failed' ? 'for-dead' : finding.kind === 'left' ? 'veto' : 'neutral';
  const state: EvidenceItem = {
    source: 'ec2 state',
    text: stale ? `${text}; too old to count` : text,
    ageMs,
    freshForMs: cloudFreshForMs(policy),
    weight: stale ? 'neutral' : weight,
  };
  return [state, ...statusEvidence(evidence, nowMs)];
}

/**
 * EC2's status checks are shown and may point somewhere, but they never decide between life and
 * death. They lag by minutes, and an impaired instance that is heard is alive. Impaired attached
 * EBS makes it degraded (see `workload-evidence.ts`).
 */
function statusEvidence(evidence: MemberEvidence, nowMs: MonotonicMs): EvidenceItem[] {
  const reading = evidence.cloudStatus;
  if (!reading) return [];
  const ageMs = nowMs - reading.readAtMs;
  const stale = ageMs > STATUS_FRESH_MS;
  const { system, instance, attachedEbs, events } = reading.status;
  const checks = [system, instance, attachedEbs];
  const weight = checks.includes('impaired')
    ? 'for-dead'
    : checks.every((check) => check === 'ok')
      ? 'against-dead'
      : 'neutral';
  const item = (source: string, text: string, counts: EvidenceItem['weight']): EvidenceItem => ({
    source,
    text: stale ? `${text}; too old to count` : text,
    ageMs,
    freshForMs: STATUS_FRESH_MS,
    weight: stale ? 'neutral' : counts,
  });
  return [
    item('ec2 status checks', `system ${system}, instance ${instance}, attached EBS ${ebsText(reading)}`, weight),
    ...events.filter(isAhead).map((event) => item('ec2 event', eventText(event), 'neutral')),
  ];
}

const ebsText = ({ status, readAtMs, ebsImpairedSinceMs }: CloudStatusReading): string =>
  ebsImpairedSinceMs === null
    ? status.attachedEbs
    : `${status.attachedEbs} for ${durationText(readAtMs - ebsImpairedSinceMs)}`;

type ScheduledEvent = CloudStatusReading['status']['events'][number];

/**
 * True unless the event is over. EC2 shows past events for up to a week, marked in the description
 * (EC2 user guide, scheduled events).
 */
const isAhead = ({ description }: ScheduledEvent): boolean => !/^\[(?:Completed|Canceled)\]/i.test(description);

/**
 * `instance-stop, not before 2026-12-01T09:00:00.000Z: …`: system-reboot, system-maintenance,
 * instance-reboot, instance-stop, instance-retirement.
 */
function eventText({ code, description, notBeforeWallMs }: ScheduledEvent): string {
  const when = notBeforeWallMs === null ? 'no date given' : `not before ${new Date(notBeforeWallMs).toISOString()}`;
  return `${code}, ${when}${description === '' ? '' : `: ${description}`}`;
}
