import type { MemberId, MonotonicMs, Revision } from '@understudy/shared';

interface Seen {
  readonly modRevision: Revision;
  readonly sinceMs: MonotonicMs;
}

/** Since when our view of etcd has held a member's record as it is now. One entry per member that has one. */
export class FirstSeen {
  readonly #seen = new Map<MemberId, Seen>();

  /** null: the view does not hold that revision. */
  sinceMs(member: MemberId, modRevision: Revision): MonotonicMs | null {
    const seen = this.#seen.get(member);
    return seen?.modRevision === modRevision ? seen.sinceMs : null;
  }

  /**
   * Call after every change of the record; `undefined`: it is gone. Told apart by revision, not by content: one that was taken away and made again while our
   * view lagged is another one.
   */
  note(member: MemberId, stored: { readonly modRevision: Revision } | undefined, nowMs: MonotonicMs): void {
    if (!stored) this.#seen.delete(member);
    else if (this.#seen.get(member)?.modRevision !== stored.modRevision)
      this.#seen.set(member, { modRevision: stored.modRevision, sinceMs: nowMs });
  }
}
