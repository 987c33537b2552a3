import type { CloudVolume, InstanceState } from '@understudy/shared';

/** What this run has seen of the instance that must be made unable to act. Times: monotonic ms. */
export interface FenceSeen {
  /** What the newest describe showed. Null: EC2 did not show the instance, which proves nothing. */
  readonly state: InstanceState | null;
  readonly nowMs: number;
  /** When the newest Stop of this run returned, whatever it answered. Null: none was sent. */
  readonly askedAtMs: number | null;
  /** True when a read of this run showed the instance in motion (any state but `stopped`). */
  readonly sawMoving: boolean;
  /**
   * When the unbroken run of `stopped` reads after the Stop began. Null: the newest read is not
   * one.
   */
  readonly stoppedSinceMs: number | null;
}

export type FenceVerdict =
  | { readonly kind: 'fenced'; readonly how: 'stopped' | 'terminated' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'wait'; readonly text: string };

/**
 * Is the old instance proven unable to act?
 *
 * `terminated` is final: no read, however old, can show it and be outdated. `stopped` can be
 * outdated in one way only: the instance was stopped once, has been started again since, and the
 * describe answered from before the start. So `stopped` counts only in a read made after our own
 * Stop was answered, and only if this run saw the instance in motion before (the read then shows
 * our stop, unless reads go backwards by more than the whole stop) or if two such reads,
 * `confirmSpacingMs` apart, agree. `stopping` and `shutting-down` prove nothing, and neither does
 * an instance EC2 does not show (EC2 devguide, eventual-consistency).
 */
export function decideFence(
  seen: FenceSeen,
  limits: { readonly confirmSpacingMs: number; readonly restopAfterMs: number },
): FenceVerdict {
  if (seen.state === 'terminated') return { kind: 'fenced', how: 'terminated' };
  if (seen.state === 'shutting-down') return { kind: 'wait', text: 'waiting for the old instance to terminate' };
  if (seen.askedAtMs === null) return { kind: 'stop' };
  if (seen.state === 'stopped') {
    const confirmed = seen.stoppedSinceMs !== null && seen.nowMs - seen.stoppedSinceMs >= limits.confirmSpacingMs;
    if (seen.sawMoving || confirmed) return { kind: 'fenced', how: 'stopped' };
    return { kind: 'wait', text: 'the old instance reads as stopped: reading once more' };
  }
  // The call is idempotent. A second forced stop is also EC2's advice for an instance that hangs in
  // `stopping`.
  if (seen.nowMs - seen.askedAtMs >= limits.restopAfterMs) return { kind: 'stop' };
  return { kind: 'wait', text: `stopping the old instance: ${seen.state ?? 'not shown by EC2'}` };
}

export interface StopMode {
  readonly force: boolean;
  readonly skipOsShutdown: boolean;
}

/**
 * The ways to stop, from the surest to the plainest. EC2 refuses the first ones for some instances,
 * and then the next is tried.
 */
export const stopModes = (skipOsShutdown: boolean): readonly StopMode[] =>
  [
    { force: true, skipOsShutdown: true },
    { force: true, skipOsShutdown: false },
    { force: false, skipOsShutdown: false },
  ].slice(skipOsShutdown ? 0 : 1);

export interface RestlessVolume {
  readonly volumeId: string;
  readonly deviceName: string;
  /** The state of its attachment: `busy`, `detaching`, `attaching` … */
  readonly state: string;
}

/**
 * Volumes whose attachment is in motion. After a forced stop they must come to rest before anything
 * is read from them.
 */
export const restlessVolumes = (volumes: readonly CloudVolume[], instanceId: string): readonly RestlessVolume[] =>
  volumes.flatMap(({ volumeId, attachments }) => {
    const moving = attachments.find(
      (one) => one.instanceId === instanceId && one.state !== 'attached' && one.state !== 'detached',
    );
    return moving ? [{ volumeId, deviceName: moving.deviceName, state: moving.state }] : [];
  });

/** What was last seen of an instance that could not be proven fenced. */
export interface UnprovenFence {
  readonly instanceId: string;
  readonly state: InstanceState | null;
  /** EC2 has not even taken the request to stop it. */
  readonly unasked: boolean;
  /** No look of this run has worked. */
  readonly unseen: boolean;
  readonly restless: readonly RestlessVolume[];
  readonly limitMs: number;
}

/** What is in the way of the fence, as it was seen, and what a person can do about it. */
export function unprovenText({ instanceId, state, unasked, unseen, restless, limitMs }: UnprovenFence): string {
  const after = `after ${Math.round(limitMs / 1_000)} s`;
  if (state === 'stopped' && restless.length > 0) {
    const list = restless.map((one) => `${one.volumeId} (${one.deviceName}) is still ${one.state}`).join(', ');
    return `${instanceId} is stopped, but ${list} ${after}: EC2 has not let go of it, and a snapshot could miss what is still written. Detach it by force (detach-volume --force) and attach it to the stopped instance again, or ask AWS Support; it goes on once each volume is attached at rest`;
  }
  const next = 'nothing further is done until it is seen stopped or terminated';
  if (unseen && unasked) return `EC2 has not taken the request to stop ${instanceId} ${after}; ${next}`;
  if (unseen) return `EC2 could not be asked about ${instanceId} ${after}; ${next}`;
  if (state === null) return `EC2 does not show ${instanceId} ${after}; ${next}`;
  if (state === 'stopped') return `${instanceId} reads as stopped, but not twice in a row ${after}; ${next}`;
  if (state === 'stopping')
    return `${instanceId} is still stopping ${after}; ${next}. EC2 is asked to force it again and again; if it stays, ask AWS Support`;
  return `${instanceId} is still ${state} ${after}, although EC2 was asked to stop it; ${next}. Stop it by hand`;
}
