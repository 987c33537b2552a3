import type { CloudVolume, InstanceState } from '@understudy/shared';

/** What this run has seen of the instance that must be made unable to act. Times: monotonic ms. */
export interface FenceSeen {
  /** From the newest describe; null: EC2 did not show the instance, which proves nothing. */
  readonly state: InstanceState | null;
  readonly nowMs: number;
  /** When the newest Stop of this run returned, whatever it answered; null: none was sent. */
  readonly askedAtMs: number | null;
  /** A read of this run showed the instance in motion (any state but `stopped`). */
  readonly sawMoving: boolean;
  /** First of the unbroken run of `stopped` reads taken after the Stop; null: the newest is not one. */
  readonly stoppedSinceMs: number | null;
}

export type FenceVerdict =
  | { readonly kind: 'fenced'; readonly how: 'stopped' | 'terminated' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'wait'; readonly text: string };

/**
 * Is the old instance proven unable to act?
 *
 * `terminated` is final: no read, however old, can show it and be outdated. `stopped` can be outdated in one way only: the instance was
 * stopped once, has been started again since, and the describe answered from before the start. So `stopped` counts only in a read made
 * after our own Stop was answered, and only if this run saw the instance in motion before (the read then shows our stop, unless reads go
 * backwards by more than the whole stop) or if two such reads, `confirmSpacingMs` apart, agree. `stopping` and `shutting-down` prove
 * nothing, and neither does an instance EC2 does not show (EC2 devguide, eventual-consistency).
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
  // Idempotent; a second forced stop is also EC2's advice for one that hangs in `stopping`.
  if (seen.nowMs - seen.askedAtMs >= limits.restopAfterMs) return { kind: 'stop' };
  return { kind: 'wait', text: `stopping the old instance: ${seen.state ?? 'not shown by EC2'}` };
}

export interface StopMode {
  readonly force: boolean;
  readonly skipOsShutdown: boolean;
}

/** From the surest to the plainest; EC2 refuses the first ones for some instances, and then the next is tried. */
export const stopModes = (skipOsShutdown: boolean): readonly StopMode[] =>
  [
    { force: true, skipOsShutdown: true },
    { force: true, skipOsShutdown: false },
    { force: false, skipOsShutdown: false },
  ].slice(skipOsShutdown ? 0 : 1);

/** Volumes whose attachment is in motion: after a forced stop they must come to rest before anything is read from them. */
export const restlessVolumes = (volumes: readonly CloudVolume[], instanceId: string): readonly string[] =>
  volumes
    .filter((volume) =>
      volume.attachments.some(
        (one) => one.instanceId === instanceId && one.state !== 'attached' && one.state !== 'detached',
      ),
    )
    .map((volume) => volume.volumeId);
