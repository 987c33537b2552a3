import { type Deed, laterBy, type MonotonicMs } from '@understudy/shared';

/** So many of an instance of a member are kept, the newest. */
const PER_INSTANCE = 10;
const INSTANCES_MAX = 5_000;
/** CloudTrail is minutes late at times, and a crawl of the inventory comes every few minutes. */
const RECENT_MS = 3_600_000;
/** Those of strangers among them must not take the room of members. */
const RECENT_MAX = 500;

interface Recent {
  readonly instanceId: string;
  readonly deed: Deed;
  readonly untilMs: MonotonicMs;
}

/**
 * Who has stopped, started or ended instances, as CloudTrail told it. It explains, and decides
 * nothing. Kept in memory, bounded; the log has each for longer.
 */
export class Deeds {
  readonly #ofMembers = new Map<string, readonly Deed[]>();
  #recent: readonly Recent[] = [];

  /** About an instance that a member has, or had. False: it is known already. */
  note(instanceId: string, deed: Deed): boolean {
    const known = this.#ofMembers.get(instanceId) ?? [];
    if (known.some((one) => one.eventId === deed.eventId)) return false;
    const oldest = this.#ofMembers.keys().next().value;
    if (this.#ofMembers.size >= INSTANCES_MAX && known.length === 0 && oldest !== undefined)
      this.#ofMembers.delete(oldest);
    const all = [...known, deed].sort((a, b) => b.atWallMs - a.atWallMs);
    this.#ofMembers.set(instanceId, all.slice(0, PER_INSTANCE));
    return true;
  }

  /** About instances of whomever, where EC2 did what was asked. Each event once, for an hour. */
  noteRecent(instanceIds: readonly string[], deed: Deed, nowMs: MonotonicMs): void {
    const untilMs = laterBy(nowMs, RECENT_MS);
    const others = this.#recent.filter((one) => one.deed.eventId !== deed.eventId && one.untilMs > nowMs);
    this.#recent = [...others, ...instanceIds.map((instanceId) => ({ instanceId, deed, untilMs }))].slice(-RECENT_MAX);
  }

  /** What is known of this instance, the newest first. */
  of(instanceId: string): readonly Deed[] {
    return this.#ofMembers.get(instanceId) ?? [];
  }

  /** Nothing is known of anybody. */
  get isEmpty(): boolean {
    return this.#ofMembers.size === 0;
  }

  /** Those of the last hour, for the inventory, the oldest first. */
  recent(): readonly { readonly id: string; readonly atWallMs: number; readonly by: string }[] {
    return this.#recent.map(({ instanceId: id, deed: { atWallMs, by, action } }) => ({
      ...{ id, atWallMs, by: `${by}, by ${action}` },
    }));
  }
}
