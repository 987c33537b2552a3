import type { SimVolume } from '../model.ts';
import type { Call, Region } from '../region.ts';

/** A handler of one action: typed by the SDK's own input and output shapes. */
export type Handler<I = never> = (region: Region, call: Call, input: I) => object;

/**
 * Free text EC2 gives for a user-initiated change, e.g. `User initiated (2026-11-23 00:05:20 GMT)`.
 */
export const userInitiated = (wallMs: number): string =>
  `User initiated (${new Date(wallMs).toISOString().replace('T', ' ').slice(0, 19)} GMT)`;

export const date = (wallMs: number): Date => new Date(wallMs);

/** Sets the attachments of a volume and its state with them. */
export function setAttachments(
  region: Region,
  volume: SimVolume,
  attachments: SimVolume['attachments'],
  scheduledMs: number | null = null,
): void {
  const state = attachments.length > 0 ? 'in-use' : 'available';
  region.volumes.update(volume.id, { attachments, state, busy: false }, region.nowMs);
  if (state !== volume.state) region.transition('volume', volume.id, volume.state, state, scheduledMs);
}

/** IPv4 addresses a subnet can give: the first four and the last one are reserved. */
export const SUBNET_ADDRESSES = 4_096 - 5;
