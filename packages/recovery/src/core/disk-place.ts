import type { CloudVolume, VolumePlace } from '@understudy/shared';

/** Where a disk is, as seen from the place that it is to leave or to get. */
export type DiskPlace =
  /** Attached there, at rest. */
  | { readonly kind: 'there' }
  /** Attached to that instance, under another device. */
  | { readonly kind: 'under-other-device'; readonly deviceName: string }
  /** Attached to nothing; or others may have it too, and that instance has not got it. */
  | { readonly kind: 'free' }
  /** On its way: being made, attached or detached. */
  | { readonly kind: 'moving'; readonly text: string }
  | { readonly kind: 'elsewhere'; readonly instanceId: string; readonly deviceName: string }
  /** EC2 does not show it, which proves nothing. */
  | { readonly kind: 'unseen' }
  /** It is being deleted, or broken. */
  | { readonly kind: 'lost'; readonly state: string };

const LOST: ReadonlySet<string> = new Set(['deleting', 'deleted', 'error']);

/** Pure. `volume`: as the newest look shows it; undefined: not shown. */
export function diskPlace(volume: CloudVolume | undefined, at: VolumePlace): DiskPlace {
  if (!volume) return { kind: 'unseen' };
  const { volumeId, state } = volume;
  if (LOST.has(state)) return { kind: 'lost', state };
  const attachments = volume.attachments.filter((one) => one.state !== 'detached');
  const here = attachments.find((one) => one.instanceId === at.instanceId);
  if (here) {
    if (here.state === 'attaching' || here.state === 'detaching')
      return { kind: 'moving', text: `${volumeId} is ${here.state}` };
    if (here.deviceName !== at.deviceName) return { kind: 'under-other-device', deviceName: here.deviceName };
    return { kind: 'there' };
  }
  const [other] = attachments;
  if (other && !volume.multiAttach) {
    if (other.state === 'detaching')
      return { kind: 'moving', text: `${volumeId} is detaching from ${other.instanceId}` };
    return { kind: 'elsewhere', instanceId: other.instanceId, deviceName: other.deviceName };
  }
  if (other || state === 'available') return { kind: 'free' };
  return { kind: 'moving', text: `${volumeId} is ${state}` };
}
