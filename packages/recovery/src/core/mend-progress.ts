import { durationText, type CloudInstance, type GroupPolicy } from '@understudy/shared';

/** What is known of an instance that is to come back by itself. Times: monotonic ms. */
export interface MendSeen {
  readonly instance: Pick<CloudInstance, 'state'> | null;
  readonly heartbeat: {
    readonly lastHeardAtMs: number;
    readonly passingSinceMs: number | null;
    readonly bootEpoch: bigint;
  } | null;
  /** The boot epoch it was last heard with before. Null: none was heard. */
  readonly bootEpochBefore: bigint | null;
  /** What its services lack, as the leader sees them. Null: they pass, or there is none. */
  readonly serviceFault: string | null;
  readonly nowMs: number;
}

export type MendVerdict =
  | { readonly kind: 'mended' }
  | { readonly kind: 'not-mended'; readonly text: string }
  | { readonly kind: 'wait'; readonly text: string; readonly againInMs: number | null };

const wait = (text: string, againInMs: number | null = null): MendVerdict => ({ kind: 'wait', text, againInMs });

const GONE: ReadonlySet<string> = new Set(['stopping', 'stopped', 'shutting-down', 'terminated']);

/**
 * Is it back? **S** Only heartbeats of a later boot count: those of the boot that failed prove that
 * it was never away (S9, A10). They have to pass for `settleMs`, and its services with them.
 */
export function mendProgress(
  { instance, heartbeat, bootEpochBefore, serviceFault, nowMs }: MendSeen,
  policy: {
    readonly recover: Pick<GroupPolicy['recover'], 'settleMs'>;
    readonly detect: Pick<GroupPolicy['detect'], 'suspectAfterMs'>;
  },
): MendVerdict {
  if (instance !== null && GONE.has(instance.state))
    return { kind: 'not-mended', text: `it is ${instance.state} although it was to run` };
  if (heartbeat === null) return wait('waiting for its first heartbeat');
  if (bootEpochBefore !== null && heartbeat.bootEpoch <= bootEpochBefore)
    return wait('waiting for a heartbeat of a later boot');
  if (nowMs - heartbeat.lastHeardAtMs >= policy.detect.suspectAfterMs) return wait('it fell silent again');
  if (heartbeat.passingSinceMs === null) return wait('it is back, and a check of it fails');
  const leftMs = heartbeat.passingSinceMs + policy.recover.settleMs - nowMs;
  if (leftMs > 0) return wait(`it passes its checks; settled in ${durationText(leftMs)}`, leftMs);
  if (serviceFault !== null) return wait(`it passes its checks; waiting for its services: ${serviceFault}`);
  return { kind: 'mended' };
}
