import type { AssignedKind, CloudNetworkInterface, InterfaceHolder } from '@understudy/shared';

export type AssignedMove =
  | { readonly kind: 'done' }
  | { readonly kind: 'assign' }
  /** It is with this interface, which is not the one on record: that is recorded before. */
  | { readonly kind: 'record'; readonly from: string }
  | { readonly kind: 'unassign'; readonly from: string }
  | { readonly kind: 'held'; readonly text: string }
  /** EC2 does not show the interface that it is to be assigned to. */
  | { readonly kind: 'unseen' };

export interface AssignedWant {
  readonly kind: AssignedKind;
  readonly address: string;
  /** The interface of the replacement. */
  readonly networkInterfaceId: string;
  /** Interfaces of instances that were fenced for this member. */
  readonly holders: readonly InterfaceHolder[];
  /** The interface on record as the one to take it from. Null: none. */
  readonly recordedFrom: string | null;
}

/**
 * The next conditional step of an assigned address towards the replacement. It is taken from the
 * interface of an instance that was fenced for this member only, while no other instance has that
 * interface; and exactly that interface is on record before. Anybody else who has it keeps it: an
 * assignment is refused then.
 */
export function assignedMove(seen: readonly CloudNetworkInterface[], want: AssignedWant): AssignedMove {
  const has = (one: CloudNetworkInterface) => one.assigned[want.kind].includes(want.address);
  const target = seen.find((one) => one.networkInterfaceId === want.networkInterfaceId);
  if (!target) return { kind: 'unseen' };
  if (has(target)) return { kind: 'done' };
  const on = seen.find((one) => one !== target && has(one));
  if (!on) return { kind: 'assign' };
  const from = on.networkInterfaceId;
  if (!isFencedHolder(on, want.holders)) {
    const holder = on.attachedInstanceId ?? from;
    return { kind: 'held', text: `${want.address} is assigned to ${from} of ${holder}; it is never taken away` };
  }
  return want.recordedFrom === from ? { kind: 'unassign', from } : { kind: 'record', from };
}

/**
 * **S** (S12) An interface that is attached to an instance is that instance's; one that is attached
 * to nothing is the one that the plan names.
 */
export const isFencedHolder = (seen: CloudNetworkInterface, holders: readonly InterfaceHolder[]): boolean =>
  holders.some(
    ({ instanceId, networkInterfaceId }) =>
      networkInterfaceId === seen.networkInterfaceId &&
      (seen.attachedInstanceId === null || seen.attachedInstanceId === instanceId),
  );
