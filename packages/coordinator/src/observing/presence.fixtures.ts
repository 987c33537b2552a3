import type { LeaseId } from '@understudy/shared';
import type { SimKv } from '@understudy/shared/testing';
import type { Standing } from './presence.ts';
import type { OwnPresence } from './opinion-publisher.ts';

/**
 * A presence that the test gives and takes by hand. Its record really lies in the simulated etcd.
 */
export class PresenceByHand implements OwnPresence {
  readonly listeners = new Set<() => void>();
  readonly #kv: SimKv;
  readonly #key: string;
  #standing: Standing | null = null;

  constructor(kv: SimKv, key: string, leaseId: LeaseId) {
    this.#kv = kv;
    this.#key = key;
    this.take(leaseId);
  }

  standing(): Standing | null {
    return this.#standing;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  reportLost(): void {
    this.lose();
  }

  withdraw(): void {
    this.lose();
  }

  take(leaseId: LeaseId): void {
    const put = { kind: 'put', key: this.#key, value: `held under ${leaseId}`, leaseId } as const;
    const { revision } = this.#kv.apply({ compare: [], writes: [put] });
    this.#set({ leaseId, compare: { key: this.#key, modRevision: revision } });
  }

  lose(): void {
    this.#set(null);
  }

  #set(standing: Standing | null): void {
    this.#standing = standing;
    for (const listener of this.listeners) listener();
  }
}
