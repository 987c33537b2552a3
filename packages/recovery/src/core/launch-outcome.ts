import type { CloudInstance, OperationError } from '@understudy/shared';
import type { RefusalClass } from './refusal-class.ts';
import { refusalClassOf } from './refusals.ts';

/**
 * Why a placement attempt ended. `capacity`: the same placement may work later. `placement`: this
 * candidate was refused for a fault of its own. `unknown`: EC2 never said what became of the
 * launch; with the permit gone, nothing can have. `key`: it was launched and ended at once, because
 * EC2 could not use the key of a volume. `instance`: it launched, but died or did not verify.
 */
export type AttemptFailure = 'capacity' | 'placement' | 'unknown' | 'key' | 'instance';

export type CallAdvice =
  /** The call was certainly not applied. The same call is made again after a pause. */
  | { readonly kind: 'again' }
  /** Somebody has to look what happened before anything else is done. */
  | { readonly kind: 'observe' }
  /**
   * EC2 does not see a part yet (eventual consistency). The same call is made again for a while.
   */
  | { readonly kind: 'lag' }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  /**
   * Nothing was made, and another placement would not help. A person has to look. The same frozen
   * call is sent again on resume.
   */
  | { readonly kind: 'refused'; readonly reason: 'CloudDenied' | 'CloudRejected' | 'KmsKeyUnusable' };

const ADVICE: Readonly<Record<RefusalClass, CallAdvice>> = {
  transient: { kind: 'again' },
  capacity: { kind: 'failed', failure: 'capacity' },
  // Other families are asked first: see `nextAttempt`.
  quota: { kind: 'failed', failure: 'capacity' },
  'account-limit': { kind: 'refused', reason: 'CloudRejected' },
  // The next attempt leaves it out, wherever it is.
  'key-pair': { kind: 'failed', failure: 'unknown' },
  candidate: { kind: 'failed', failure: 'placement' },
  lag: { kind: 'lag' },
  denied: { kind: 'refused', reason: 'CloudDenied' },
  hopeless: { kind: 'refused', reason: 'CloudRejected' },
  key: { kind: 'refused', reason: 'KmsKeyUnusable' },
  conflict: { kind: 'observe' },
  launched: { kind: 'failed', failure: 'instance' },
  unknown: { kind: 'observe' },
};

/** What an error of CreateNetworkInterface or RunInstances tells about the attempt. */
export const adviseOnLaunchError = (error: OperationError): CallAdvice => ADVICE[refusalClassOf(error)];

/**
 * What three independent reads show of one launch attempt. Null: that read failed, and says
 * nothing.
 */
export interface LaunchSeen {
  /** Instances that the `client-token` filter finds. */
  readonly byToken: readonly CloudInstance[] | null;
  /** Instances that carry the tags of the recovery and of the attempt. */
  readonly byTags: readonly CloudInstance[] | null;
  /** Instances to which the permit is attached. */
  readonly permitHolders: readonly string[] | null;
}

export type LaunchFinding =
  /** All three were read, and none shows it. */
  | { readonly kind: 'none' }
  /** The reads that worked do not show it, and one failed. No absence can be concluded. */
  | { readonly kind: 'unread' }
  | { readonly kind: 'launched'; readonly instanceId: string }
  /** More than one instance was launched, which must never happen. */
  | { readonly kind: 'several'; readonly instanceIds: readonly string[] };

/**
 * Did this attempt launch? Each read is weighed by itself. One that shows the launch is enough,
 * whatever became of the others. That it did *not* launch takes all three (S7). Tags alone prove
 * nothing, because people copy them: an instance found by tags counts only with the attempt's token
 * or its permit.
 */
export function findLaunched(seen: LaunchSeen, clientToken: string, permitId: string): LaunchFinding {
  const tagged = (seen.byTags ?? []).filter(
    (one) =>
      one.clientToken === clientToken || one.networkInterfaces.some((eni) => eni.networkInterfaceId === permitId),
  );
  const ids = new Set([...(seen.byToken ?? []), ...tagged].map((one) => one.instanceId));
  for (const holder of seen.permitHolders ?? []) ids.add(holder);
  const [instanceId] = ids;
  if (ids.size > 1) return { kind: 'several', instanceIds: [...ids] };
  if (instanceId !== undefined) return { kind: 'launched', instanceId };
  const all = seen.byToken !== null && seen.byTags !== null && seen.permitHolders !== null;
  return { kind: all ? 'none' : 'unread' };
}
