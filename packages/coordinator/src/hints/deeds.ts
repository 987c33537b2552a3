import type { Deed } from './cloud-event.ts';

/** So many of an instance are kept, the newest. */
const PER_INSTANCE = 10;
const INSTANCES_MAX = 5_000;

/**
 * Who has stopped, started or ended instances of members, as CloudTrail told it. It explains, and
 * decides nothing. Kept in memory, bounded; the log has each for longer.
 */
export class Deeds {
  readonly #deeds = new Map<string, readonly Deed[]>();

  /** False: it is known already. */
  note(instanceId: string, deed: Deed): boolean {
    const known = this.#deeds.get(instanceId) ?? [];
    if (known.some((one) => one.eventId === deed.eventId)) return false;
    const oldest = this.#deeds.keys().next().value;
    if (this.#deeds.size >= INSTANCES_MAX && known.length === 0 && oldest !== undefined) this.#deeds.delete(oldest);
    const all = [...known, deed].sort((a, b) => b.atWallMs - a.atWallMs);
    this.#deeds.set(instanceId, all.slice(0, PER_INSTANCE));
    return true;
  }

  /** The newest first. */
  of(instanceId: string): readonly Deed[] {
    return this.#deeds.get(instanceId) ?? [];
  }
}

/** In a sentence, for people. */
export function deedText(instanceId: string, { action, by, atWallMs, requestId, isOurs }: Deed): string {
  const request = requestId === '' ? '' : `, request ${requestId}`;
  const ours = isOurs ? ', with the client of a coordinator' : '';
  return `${action} of ${instanceId} by ${by} at ${new Date(atWallMs).toISOString()}${request}${ours} (CloudTrail; explains, proves nothing)`;
}
