import type { CloudAddress } from '@understudy/shared';

export type AddressMove =
  | { readonly kind: 'done'; readonly associationId: string }
  | { readonly kind: 'associate' }
  /** This association is on the fenced instance, but is not the one on record: record it before it is removed. */
  | { readonly kind: 'record'; readonly associationId: string }
  | { readonly kind: 'disassociate'; readonly associationId: string }
  | { readonly kind: 'held'; readonly text: string }
  /** EC2 does not show the address. */
  | { readonly kind: 'unseen' };

/**
 * The next conditional step of an Elastic IP towards the replacement. Only an association with the instance this very recovery has fenced, or with one an
 * earlier recovery of this member has retired without moving the address, is ever removed, and only once exactly that association is on record; whoever else holds the address keeps it.
 */
export function addressMove(
  seen: CloudAddress | null,
  want: {
    readonly networkInterfaceId: string;
    readonly oldInstanceId: string;
    /** Retired before; absent: none. */
    readonly owedFrom?: readonly string[];
    /** Association on record as the one to remove; null: none. */
    readonly recordedAssociationId: string | null;
  },
): AddressMove {
  if (seen === null) return { kind: 'unseen' };
  if (seen.networkInterfaceId === want.networkInterfaceId && seen.associationId !== null) {
    return { kind: 'done', associationId: seen.associationId };
  }
  if (seen.associationId === null) return { kind: 'associate' };
  const fenced = [want.oldInstanceId, ...(want.owedFrom ?? [])];
  if (seen.instanceId === null || !fenced.includes(seen.instanceId)) {
    const holder = seen.instanceId ?? seen.networkInterfaceId ?? 'something else';
    return { kind: 'held', text: `${seen.publicIp} is associated with ${holder}; it is never taken away` };
  }
  return seen.associationId === want.recordedAssociationId
    ? { kind: 'disassociate', associationId: seen.associationId }
    : { kind: 'record', associationId: seen.associationId };
}
