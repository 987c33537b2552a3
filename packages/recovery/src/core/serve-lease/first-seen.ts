import type { MemberId, MonotonicMs } from '@understudy/shared';

interface Seen {
  readonly id: string;
  readonly sinceMs: MonotonicMs;
}

/**
 * Remembers since when our view of etcd has held something of a member: an intent, a contract. An
 * id that is never used twice tells them apart, not the content: a record that was taken away and
 * made again while our view lagged is another one. One entry per member.
 */
export class FirstSeen {
  readonly #seen = new Map<MemberId, Seen>();

  /** Null: the view does not hold that. */
  sinceMs(member: MemberId, id: string): MonotonicMs | null {
    const seen = this.#seen.get(member);
    return seen?.id === id ? seen.sinceMs : null;
  }

  /** Call it after every change. Null: the record is gone. */
  note(member: MemberId, id: string | null, nowMs: MonotonicMs): void {
    if (id === null) this.#seen.delete(member);
    else if (this.#seen.get(member)?.id !== id) this.#seen.set(member, { id, sinceMs: nowMs });
  }
}
