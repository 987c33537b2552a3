import type { RefusedEnrolment } from './decide-key-enrolment.ts';

/** Somebody who was given no key, as it is shown. */
export interface ShownRefusal {
  readonly member: string;
  /** Null: nothing that was sent proves one. */
  readonly instanceId: string | null;
  readonly address: string;
  readonly reason: RefusedEnrolment['reason'];
  readonly text: string;
  readonly count: number;
  readonly lastWallMs: number;
}

const KEPT_MAX = 100;
const SHOWN_FOR_MS = 3_600_000;

/** Who was refused lately, the newest last; one entry for who asks the same way again. */
export class RefusedList {
  readonly #byName = new Map<string, ShownRefusal & { readonly atMs: number }>();

  note(refused: Omit<ShownRefusal, 'count'>, nowMs: number): void {
    const { instanceId, address, reason, member } = refused;
    // Without a genuine document a name is anybody's: one entry an address, whatever it says.
    const name = (instanceId === null ? [address, reason] : [instanceId, address, reason, member]).join(' ');
    const count = (this.#byName.get(name)?.count ?? 0) + 1;
    this.#byName.delete(name);
    this.#byName.set(name, { ...refused, count, atMs: nowMs });
    const [oldest] = this.#byName.keys();
    if (this.#byName.size > KEPT_MAX && oldest !== undefined) this.#byName.delete(oldest);
  }

  /** What was said of this instance at this address is settled: it has its key. */
  settle(instanceId: string, address: string): void {
    for (const [name, one] of this.#byName)
      if (one.instanceId === instanceId && one.address === address) this.#byName.delete(name);
  }

  list(nowMs: number): readonly ShownRefusal[] {
    for (const [name, { atMs }] of this.#byName) if (nowMs - atMs > SHOWN_FOR_MS) this.#byName.delete(name);
    return [...this.#byName.values()].map(({ atMs: _, ...shown }) => shown);
  }
}
