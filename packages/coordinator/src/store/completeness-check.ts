import type { KvEntry, KvRange, Revision } from '@understudy/shared';

/** Deletions remembered. Forgetting one too early costs a needless list. */
const DELETED_MAX = 64;

/**
 * Knows what a part of the prefix has to look like. A view that has reached a revision is complete
 * only if no event was lost on the way (etcd-io/etcd#20655). A probe that reads this part as well
 * is therefore compared with the map.
 */
export class CompletenessCheck {
  readonly #prefix: string;
  /** Keys of this part that were deleted lately, and when. */
  readonly #deleted = new Map<string, Revision>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  noteDeleted(key: string, revision: Revision): void {
    if (!key.startsWith(this.#prefix)) return;
    this.#deleted.delete(key);
    this.#deleted.set(key, revision);
    if (this.#deleted.size <= DELETED_MAX) return;
    for (const oldest of this.#deleted.keys()) {
      this.#deleted.delete(oldest);
      return;
    }
  }

  /**
   * Keys in which a map that has reached `seen.revision`, or a later one, differs from what was
   * read there. Later changes are not counted as differences.
   */
  differences(seen: KvRange, map: ReadonlyMap<string, KvEntry>): readonly string[] {
    const listed = new Set(seen.entries.map((entry) => entry.key));
    const missing = seen.entries.filter(({ key, modRevision }) => {
      const known = map.get(key);
      if (known) return known.modRevision < modRevision;
      return (this.#deleted.get(key) ?? 0) <= seen.revision;
    });
    const surplus = [...map.values()].filter(
      ({ key, modRevision }) => key.startsWith(this.#prefix) && modRevision <= seen.revision && !listed.has(key),
    );
    return [...missing, ...surplus].map((entry) => entry.key);
  }
}
