import type { Mac, MemberId } from '@understudy/shared';
import { HMAC_TAGS, MIDSTATE_WORDS, type TagScheme, writeMidstate } from './hmac-midstate.ts';

/**
 * Derives one member's key, or `null` when this key id is not ours. Pure; called once per member
 * and key id, at its first datagram, because deriving 100 000 keys at start would be a stall.
 */
export type KeyOf = (keyId: number, member: MemberId) => Uint8Array | null;

/** HMAC state of every member's keys, flat. At most two key ids are live at once (rotation). */
export class Keyring {
  #keyIds: readonly number[];
  #keyOf: KeyOf;
  readonly #tags: TagScheme;
  states = new Int32Array(0);
  #ready = new Uint8Array(0);

  constructor(keyIds: readonly number[], keyOf: KeyOf, tags: TagScheme = HMAC_TAGS) {
    this.#keyIds = oneOrTwo(keyIds);
    this.#keyOf = keyOf;
    this.#tags = tags;
  }

  reserve(capacity: number): void {
    const rows = capacity * this.#keyIds.length;
    if (rows <= this.#ready.length) return;
    const states = new Int32Array(rows * MIDSTATE_WORDS);
    states.set(this.states);
    const ready = new Uint8Array(rows);
    ready.set(this.#ready);
    this.states = states;
    this.#ready = ready;
  }

  get keyIds(): readonly number[] {
    return this.#keyIds;
  }

  accepts(keyId: number): boolean {
    return this.#keyIds.includes(keyId);
  }

  /**
   * These ids from now on. `kept` names those whose secret is the one we have: their state is
   * carried over, so that a rotation derives nothing anew for them.
   */
  replace(keyIds: readonly number[], keyOf: KeyOf, kept: ReadonlySet<number>): void {
    const capacity = this.#ready.length / this.#keyIds.length;
    const [oldIds, oldStates, oldReady] = [this.#keyIds, this.states, this.#ready];
    this.#keyIds = oneOrTwo(keyIds);
    this.#keyOf = keyOf;
    this.states = new Int32Array(capacity * keyIds.length * MIDSTATE_WORDS);
    this.#ready = new Uint8Array(capacity * keyIds.length);
    keyIds.forEach((keyId, which) => {
      const was = kept.has(keyId) ? oldIds.indexOf(keyId) : -1;
      if (was < 0) return;
      for (let slot = 0; slot < capacity; slot++) {
        const [from, to] = [slot * oldIds.length + was, slot * keyIds.length + which];
        if (oldReady[from] !== 1) continue;
        this.#ready[to] = 1;
        this.states.set(oldStates.subarray(from * MIDSTATE_WORDS, (from + 1) * MIDSTATE_WORDS), to * MIDSTATE_WORDS);
      }
    });
  }

  /** Forgets a slot's keys: it will belong to another member. */
  clear(slot: number): void {
    const row = slot * this.#keyIds.length;
    this.#ready.fill(0, row, row + this.#keyIds.length);
    this.states.fill(0, row * MIDSTATE_WORDS, (row + this.#keyIds.length) * MIDSTATE_WORDS);
  }

  /** Where in {@link states} this member's key begins, or -1. */
  offsetOf(slot: number, keyId: number, member: MemberId): number {
    const which = this.#keyIds.indexOf(keyId);
    if (which < 0) return -1;
    const row = slot * this.#keyIds.length + which;
    const offset = row * MIDSTATE_WORDS;
    if (this.#ready[row] === 1) return offset;
    const key = this.#keyOf(keyId, member);
    if (!key) return -1;
    writeMidstate(key, this.states, offset);
    this.#ready[row] = 1;
    return offset;
  }

  /** Is the datagram's tag made with the key at `offset`? */
  tagMatches(offset: number, bytes: Uint8Array): boolean {
    return this.#tags.matches(this.states, offset, bytes);
  }

  macAt(offset: number): Mac {
    return this.#tags.mac(this.states, offset);
  }

  /** The last configured. */
  get newestKeyId(): number {
    return this.#keyIds.at(-1) as number;
  }
}

function oneOrTwo(keyIds: readonly number[]): readonly number[] {
  if (keyIds.length < 1 || keyIds.length > 2) throw new RangeError(`want one or two key ids, got ${keyIds.length}`);
  return keyIds;
}
