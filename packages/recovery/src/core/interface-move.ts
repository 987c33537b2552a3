import type { CloudNetworkInterface } from '@understudy/shared';

export type InterfaceMove =
  | { readonly kind: 'done'; readonly attachmentId: string }
  | { readonly kind: 'attach' }
  /** It is attached to the replacement, and is to go with it, or to outlive it, as before. */
  | { readonly kind: 'bind'; readonly attachmentId: string; readonly value: boolean }
  /** This attachment to a fenced instance is not the one on record: it is recorded before. */
  | { readonly kind: 'record'; readonly attachmentId: string }
  | { readonly kind: 'detach'; readonly attachmentId: string }
  | { readonly kind: 'held'; readonly text: string }
  | { readonly kind: 'between'; readonly text: string }
  /** EC2 does not show it. */
  | { readonly kind: 'unseen' };

export interface InterfaceWant {
  readonly networkInterfaceId: string;
  /** The replacement. */
  readonly instanceId: string;
  readonly deleteOnTermination: boolean;
  /** Instances that were fenced for this member. */
  readonly fenced: readonly string[];
  /** The attachment on record as the one to remove. Null: none. */
  readonly recordedAttachmentId: string | null;
}

/**
 * The next conditional step of a network interface towards the replacement. It is detached from an
 * instance only that was fenced for this member, by exactly the attachment on record, and attached
 * once it is free: EC2 refuses to attach one that is in use.
 */
export function interfaceMove(seen: CloudNetworkInterface | null, want: InterfaceWant): InterfaceMove {
  if (seen === null) return { kind: 'unseen' };
  const { attachment, attachedInstanceId } = seen;
  if (attachment === null)
    return seen.state === 'available' ? { kind: 'attach' } : { kind: 'between', text: `it is ${seen.state}` };
  const { attachmentId, state } = attachment;
  if (attachedInstanceId === want.instanceId) {
    if (state !== 'attached') return { kind: 'between', text: `it is ${state}` };
    const isBound = attachment.deleteOnTermination === want.deleteOnTermination;
    return isBound ? { kind: 'done', attachmentId } : { kind: 'bind', attachmentId, value: want.deleteOnTermination };
  }
  if (attachedInstanceId === null || !want.fenced.includes(attachedInstanceId)) {
    const holder = attachedInstanceId ?? 'something that is no instance';
    return { kind: 'held', text: `${want.networkInterfaceId} is attached to ${holder}; it is never taken away` };
  }
  if (state === 'detaching') return { kind: 'between', text: `it is leaving ${attachedInstanceId}` };
  return attachmentId === want.recordedAttachmentId
    ? { kind: 'detach', attachmentId }
    : { kind: 'record', attachmentId };
}
