import type { Consistency, Glance } from './consistency.ts';

interface Version<T> {
  readonly number: number;
  readonly atMs: number;
  /** `null`: deleted. */
  readonly value: T | null;
  /** Seeded long ago, so visible to everybody at once. */
  readonly settled: boolean;
}

const VERSIONS_KEPT = 8;
/** How long a deleted resource is kept, in ms at speed 1. */
const TOMBSTONE_MS = 600_000;

/**
 * All resources of one kind: the truth, and what a reader sees of it. Values are immutable; each
 * `put` is a version. At most {@link VERSIONS_KEPT} versions are kept, and a deleted resource for
 * {@link TOMBSTONE_MS}.
 */
export class ResourceStore<T extends { readonly id: string }> {
  readonly kind: string;
  readonly #consistency: Consistency;
  readonly #slots = new Map<string, Version<T>[]>();
  readonly #deletedAtMs = new Map<string, number>();

  constructor(kind: string, consistency: Consistency) {
    this.kind = kind;
    this.#consistency = consistency;
  }

  get(id: string): T | undefined {
    return this.#slots.get(id)?.at(-1)?.value ?? undefined;
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  all(): T[] {
    const found: T[] = [];
    for (const versions of this.#slots.values()) {
      const value = versions.at(-1)?.value;
      if (value) found.push(value);
    }
    return found;
  }

  get size(): number {
    return this.#slots.size - this.#deletedAtMs.size;
  }

  put(value: T, atMs: number, settled = false): T {
    const versions = this.#slots.get(value.id) ?? [];
    const number = (versions.at(-1)?.number ?? -1) + 1;
    versions.push({ number, atMs, value, settled });
    if (versions.length > VERSIONS_KEPT) versions.shift();
    this.#slots.set(value.id, versions);
    this.#deletedAtMs.delete(value.id);
    return value;
  }

  /** Changes fields of a resource that exists. A resource that is gone stays gone. */
  update(id: string, patch: Partial<T>, atMs: number, settled = false): T | undefined {
    const value = this.get(id);
    return value && this.put({ ...value, ...patch }, atMs, settled);
  }

  remove(id: string, atMs: number, settled = false): void {
    const versions = this.#slots.get(id);
    const last = versions?.at(-1);
    if (!versions || !last || last.value === null) return;
    versions.push({ number: last.number + 1, atMs, value: null, settled });
    this.#deletedAtMs.set(id, atMs);
    this.#bury(atMs);
  }

  /** The resource as `glance` sees it. Undefined when it does not see it yet, or any more. */
  seen(id: string, glance: Glance): T | undefined {
    return this.#visible(id, glance)?.value ?? undefined;
  }

  /**
   * Like {@link seen}, but a resource too young to be seen is shown in its first version (parts of
   * a resource that is itself seen).
   */
  seenAsPart(id: string, glance: Glance): T | undefined {
    const version = this.#visible(id, glance) ?? this.#slots.get(id)?.[0];
    return version?.value ?? undefined;
  }

  allSeen(glance: Glance): T[] {
    const found: T[] = [];
    for (const id of this.#slots.keys()) {
      const value = this.seen(id, glance);
      if (value) found.push(value);
    }
    return found;
  }

  #visible(id: string, glance: Glance): Version<T> | undefined {
    const asOfMs = glance.nowMs - glance.staleMs;
    const { maxLagMs } = this.#consistency;
    return this.#slots
      .get(id)
      ?.findLast(
        (version) =>
          (version.settled && version.atMs <= asOfMs) ||
          version.atMs + maxLagMs <= asOfMs ||
          version.atMs + this.#consistency.lagMs(id, version.number, glance) <= asOfMs,
      );
  }

  #bury(nowMs: number): void {
    const tombstoneMs = this.#consistency.scaledMs(TOMBSTONE_MS);
    for (const [id, deletedAtMs] of this.#deletedAtMs) {
      if (nowMs - deletedAtMs < tombstoneMs) break;
      this.#deletedAtMs.delete(id);
      this.#slots.delete(id);
    }
  }
}
