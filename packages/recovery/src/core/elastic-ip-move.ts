import type { CloudAddress } from '@understudy/shared';

export type AddressMove =
  | { readonly kind: 'done'; readonly associationId: string }
  | { readonly kind: 'associate' }
  /**
   * This association is on the fenced instance and is not the one on record. It is recorded before
   * it is removed.
   */
  | { readonly kind: 'record'; readonly associationId: string }
  | { readonly kind: 'disassociate'; readonly associationId: string }
  | { readonly kind: 'held'; readonly text: string }
  /** EC2 does not show the address. */
  | { readonly kind: 'unseen' };

export interface FencedHolder {
  readonly oldInstanceId: string;
  /**
   * Instances that earlier recoveries of the member retired without moving the address. Absent:
   * none.
   */
  readonly owedFrom?: readonly string[] | undefined;
  /**
   * Its primary network interface, which cannot be detached from it. Null: the plan does not name
   * it.
   */
  readonly oldInterfaceId: string | null;
  /** The association that was on it when the plan was made. Null: none. */
  readonly plannedAssociationId: string | null;
}

/**
 * Is the address on an instance that was fenced for this member? The id of the instance tells it.
 * Where EC2 names no instance with the address, the very association that the plan saw on its
 * primary network interface tells it. **S** (S12) An instance that is named decides alone.
 */
export function isOnFenced(seen: CloudAddress, fenced: FencedHolder): boolean {
  const { oldInstanceId, owedFrom = [] } = fenced;
  if (seen.instanceId !== null) return seen.instanceId === oldInstanceId || owedFrom.includes(seen.instanceId);
  const { oldInterfaceId, plannedAssociationId } = fenced;
  const sameInterface = oldInterfaceId !== null && seen.networkInterfaceId === oldInterfaceId;
  return sameInterface && plannedAssociationId !== null && seen.associationId === plannedAssociationId;
}

/**
 * The next conditional step of an Elastic IP towards the replacement. An association is removed
 * only when it is with the instance that this very recovery has fenced, or with one that an earlier
 * recovery of this member retired without moving the address. Exactly that association is on record
 * before it is removed. Anybody else who holds the address keeps it.
 */
export function addressMove(
  seen: CloudAddress | null,
  want: FencedHolder & {
    readonly networkInterfaceId: string;
    /** The private address it belongs to there. Absent, or null: whichever. */
    readonly privateIp?: string | null;
    /** The association on record as the one to remove. Null: none. */
    readonly recordedAssociationId: string | null;
  },
): AddressMove {
  if (seen === null) return { kind: 'unseen' };
  const isOnIp = (want.privateIp ?? null) === null || seen.privateIp === want.privateIp;
  if (seen.networkInterfaceId === want.networkInterfaceId && isOnIp && seen.associationId !== null) {
    return { kind: 'done', associationId: seen.associationId };
  }
  if (seen.associationId === null) return { kind: 'associate' };
  if (!isOnFenced(seen, want)) {
    const holder = seen.instanceId ?? seen.networkInterfaceId ?? 'something else';
    return { kind: 'held', text: `${seen.publicIp} is associated with ${holder}; it is never taken away` };
  }
  return seen.associationId === want.recordedAssociationId
    ? { kind: 'disassociate', associationId: seen.associationId }
    : { kind: 'record', associationId: seen.associationId };
}
