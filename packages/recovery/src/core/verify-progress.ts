import { durationText, type CloudInstance, type CloudInstanceStatus, type GroupPolicy } from '@understudy/shared';

/** What is known of the replacement. Times: monotonic ms. */
export interface ReplacementSeen {
  readonly instance: CloudInstance | null;
  readonly status: CloudInstanceStatus | null;
  /** How many reads in a row, this one included, showed an impaired status check. */
  readonly impairedReads: number;
  readonly heartbeat: { readonly lastHeardAtMs: number; readonly passingSinceMs: number | null } | null;
  /** What its agent's serve promise lacks of what is asked of the member. Null: nothing. */
  readonly promiseFault: string | null;
  readonly nowMs: number;
  /** How long ago the launch was recorded. */
  readonly waitedMs: number;
}

export type VerifyVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly text: string }
  /** `againInMs`: when the answer can change by itself. Null: at the usual pace. */
  | { readonly kind: 'wait'; readonly text: string; readonly againInMs: number | null };

const wait = (text: string, againInMs: number | null = null): VerifyVerdict => ({ kind: 'wait', text, againInMs });
const failed = (text: string): VerifyVerdict => ({ kind: 'failed', text });

const GONE: ReadonlySet<string> = new Set(['stopping', 'stopped', 'shutting-down', 'terminated']);

const isImpaired = (status: CloudInstanceStatus): boolean =>
  [status.system, status.instance, status.attachedEbs].includes('impaired');

const isOk = (status: CloudInstanceStatus | null): boolean =>
  status !== null &&
  status.system === 'ok' &&
  status.instance === 'ok' &&
  (status.attachedEbs === 'ok' || status.attachedEbs === 'not-applicable');

/**
 * Counts reads in a row that showed an impaired check. One read may be stale or passing, so
 * `impaired` condemns the replacement when two in a row say so.
 */
export const countImpaired = (before: number, status: CloudInstanceStatus | null): number =>
  status !== null && isImpaired(status) ? before + 1 : 0;

/**
 * Is the replacement fit to be activated? Not before its own authenticated heartbeats have passed
 * for `settleMs`.
 */
export function verifyProgress(
  seen: ReplacementSeen,
  policy: {
    readonly recover: Pick<GroupPolicy['recover'], 'settleMs' | 'launchTimeoutMs' | 'requireStatusChecks'>;
    readonly detect: Pick<GroupPolicy['detect'], 'suspectAfterMs'>;
  },
): VerifyVerdict {
  const { instance, heartbeat } = seen;
  if (instance === null) return wait('EC2 does not show the replacement yet');
  if (GONE.has(instance.state)) {
    const why = instance.stateReasonText ?? instance.stateReasonCode ?? 'no reason given';
    return failed(`the replacement ${instance.instanceId} is ${instance.state}: ${why}`);
  }
  if (instance.state !== 'running') {
    return seen.waitedMs > policy.recover.launchTimeoutMs
      ? failed(`the replacement is still ${instance.state} after ${durationText(policy.recover.launchTimeoutMs)}`)
      : wait(`the replacement is ${instance.state}`);
  }
  if (seen.impairedReads >= 2) return failed('EC2 status checks of the replacement are impaired');
  if (heartbeat === null) return wait('waiting for the first heartbeat of the replacement');
  if (seen.nowMs - heartbeat.lastHeardAtMs >= policy.detect.suspectAfterMs) return wait('the replacement fell silent');
  // It would be told `unknown` for ever.
  if (seen.promiseFault !== null) return wait(`the replacement may not serve: ${seen.promiseFault}`);
  if (heartbeat.passingSinceMs === null) return wait('a check of the replacement fails');
  const leftMs = heartbeat.passingSinceMs + policy.recover.settleMs - seen.nowMs;
  if (leftMs > 0) return wait(`the replacement passes its checks; settled in ${durationText(leftMs)}`, leftMs);
  if (policy.recover.requireStatusChecks && !isOk(seen.status)) return wait('waiting for EC2 status checks');
  return { kind: 'passed' };
}
