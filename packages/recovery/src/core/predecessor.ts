import type { CloudInstance, LaunchPlan, RecoveryPlan } from '@understudy/shared';
import { launchPlan } from './launch-plan.ts';

/** The plan gives the primary private address to the replacement. Null: it does not. */
export const followingAddress = (plan: RecoveryPlan): NonNullable<LaunchPlan['primaryAddress']> | null =>
  launchPlan(plan)?.primaryAddress ?? null;

/** The address that launches are to have. Null: whichever EC2 gives. */
export function addressWanted({ primaryAddress }: Pick<LaunchPlan, 'primaryAddress'>): string | null {
  return primaryAddress && primaryAddress.givenUp !== true ? primaryAddress.address : null;
}

/** The condition of a call that takes something off it, in words. Null: it is always made. */
export const unlessEnded = (plan: RecoveryPlan): string | null =>
  followingAddress(plan) ? 'the failed instance has not ended, because its address was given up' : null;

/** What is known of the calls that end a predecessor. */
export interface EndCalls {
  /** Calls that were sent, or were about to be, by all leaders. */
  readonly sent: number;
  /** Numbers of those that were certainly refused. */
  readonly refused: readonly number[];
}

/** **S** (S32) May one of them have ended it, or end it yet? */
export const mayHaveEnded = ({ sent, refused }: EndCalls): boolean =>
  Array.from({ length: sent }, (_, index) => index + 1).some((number) => !refused.includes(number));

/** Whether an interface goes with its instance. */
export interface InterfaceEnd {
  readonly networkInterfaceId: string;
  readonly attachmentId: string;
  readonly goes: boolean;
}

export type EndMove =
  /** It has ended. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'wait'; readonly text: string }
  /** What is to outlive it, and that its primary interface is not to, is said first, then seen. */
  | {
      readonly kind: 'say';
      readonly deviceNames: readonly string[];
      readonly interfaces: readonly InterfaceEnd[];
    }
  /** A disk that its successor gets is still on it. */
  | { readonly kind: 'not-free'; readonly volumeIds: readonly string[] }
  /** It runs, or is about to. */
  | { readonly kind: 'runs' }
  | { readonly kind: 'end' };

export interface EndWant {
  readonly networkInterfaceId: string;
  /** Disks that move to its successor: they come off first. */
  readonly movingVolumeIds: ReadonlySet<string>;
  /** Devices and interfaces that this recovery has said it of; a look may be older than that. */
  readonly said: ReadonlySet<string>;
}

/**
 * **S** (S32) The next step towards the end of a predecessor: it is seen stopped, without any disk
 * that its successor gets, and with each of its volumes and further interfaces seen to outlive it,
 * in one and the same look.
 */
export function endMove(seen: CloudInstance | null, want: EndWant): EndMove {
  if (seen === null) return { kind: 'wait', text: 'EC2 does not show it' };
  switch (seen.state) {
    case 'terminated':
      return { kind: 'ended' };
    case 'pending':
    case 'running':
      return { kind: 'runs' };
    case 'stopping':
    case 'shutting-down':
      return { kind: 'wait', text: `it is ${seen.state}` };
    case 'stopped':
      break;
  }
  const onIt = seen.volumes.map((one) => one.volumeId).filter((id) => want.movingVolumeIds.has(id));
  return onIt.length > 0 ? { kind: 'not-free', volumeIds: onIt } : atRest(seen, want);
}

/** The next step for a stopped one that has nothing its successor needs. */
function atRest({ volumes, networkInterfaces }: CloudInstance, { networkInterfaceId, said }: EndWant): EndMove {
  const isPrimary = (one: { readonly networkInterfaceId: string }) => one.networkInterfaceId === networkInterfaceId;
  const deviceNames = volumes
    .filter((one) => one.deleteOnTermination || !said.has(one.deviceName))
    .map((one) => one.deviceName);
  const further = networkInterfaces.filter(
    (one) => !isPrimary(one) && (one.deleteOnTermination || !said.has(one.networkInterfaceId)),
  );
  const primary = networkInterfaces.filter((one) => isPrimary(one) && !one.deleteOnTermination);
  const interfaces = [
    ...further.map((one) => ({ ...one, goes: false })),
    ...primary.map((one) => ({ ...one, goes: true })),
  ].flatMap(({ networkInterfaceId: id, attachmentId, goes }) =>
    attachmentId === null ? [] : [{ networkInterfaceId: id, attachmentId, goes }],
  );
  if (interfaces.length < further.length + primary.length)
    return { kind: 'wait', text: 'EC2 names no attachment of an interface of it' };
  return deviceNames.length + interfaces.length > 0 ? { kind: 'say', deviceNames, interfaces } : { kind: 'end' };
}
