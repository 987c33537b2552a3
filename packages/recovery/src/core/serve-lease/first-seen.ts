import type { MemberId, MonotonicMs } from '@understudy/shared';

interface Seen {
  readonly id: string;
  readonly sinceMs: MonotonicMs;
}

/**
 * Since when our view of etcd has held something of a member: an intent, a contract. Told apart by
 * an id that is never used twice, not by content: what was taken away and made again while our view
 * lagged is something else. One entry per member.
 */
export class FirstSeen {
  readonly #seen = new Map<MemberId, Seen>();

  /** null: the view does not hold that. */
  sinceMs(member: MemberId, id: string): MonotonicMs | null {
    const seen = this.#seen.get(member);
    return seen?.id === id ? seen.sinceMs : null;
  }

  /** Call after every change; null: it is gone. */
  note(member: MemberId, id: string | null, nowMs: MonotonicMs): void {
    if (id === null) this.#seen.delete(member);
    else if (this.#seen.get(member)?.id !== id) this.#seen.set(member, { id, sinceMs: nowMs });
  }
}
