import type { Endpoint } from '@understudy/shared';
import { DatagramPlaces, PLACE_BYTES } from './datagram-places.ts';

/** One word per cache line, so that the two sides do not slow each other down. */
const WRITTEN = 0;
const TAKEN = 16;
const LOST = 32;
const WANTED = 48;
const HEADER_BYTES = 256;
/** How many are taken before their places are given back. */
const GIVE_BACK_EVERY = 64;

/**
 * Datagrams from one thread to another, in the order they came: one side pushes, the other drains,
 * nobody waits. A full ring refuses and counts.
 *
 * Counters wrap at 2^32, so only their difference counts; the capacity is a power of two.
 *
 * Waking: who drains says so (`WANTED`) *before* it looks how much there is. So whoever pushed and
 * then finds `WANTED` taken knows that a drain is still to come that sees its datagram; otherwise
 * it takes `WANTED` and has to wake the other side.
 */
export class DatagramRing {
  readonly memory: SharedArrayBuffer;
  readonly capacity: number;
  readonly places: DatagramPlaces;
  readonly #header: Int32Array;
  /** The other side's counter as last seen: looked up again only when the ring seems full. */
  #takenSeen = 0;
  #written = 0;

  /**
   * Around memory made by {@link DatagramRing.create}, here or in another thread. At most one
   * thread pushes, one drains.
   */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.capacity = (memory.byteLength - HEADER_BYTES) / PLACE_BYTES;
    this.places = new DatagramPlaces(memory, HEADER_BYTES);
    this.#header = new Int32Array(memory, 0, HEADER_BYTES / 4);
  }

  /** @throws RangeError when `capacity` is not a power of two. */
  static create(capacity: number): DatagramRing {
    if (capacity < 1 || (capacity & (capacity - 1)) !== 0)
      throw new RangeError(`want a power of two as capacity, got ${capacity}`);
    return new DatagramRing(new SharedArrayBuffer(HEADER_BYTES + capacity * PLACE_BYTES));
  }

  /** The pushing side. The place it went to, or -1: full, refused and counted. */
  push(payload: Uint8Array, farEnd: Endpoint, atMs: number, state = 0): number {
    const place = this.#written & (this.capacity - 1);
    if (this.#isFull()) {
      Atomics.add(this.#header, LOST, 1);
      return -1;
    }
    this.places.write(place, payload, farEnd, atMs);
    if (state !== 0) this.places.setState(place, state);
    this.#written = (this.#written + 1) | 0;
    Atomics.store(this.#header, WRITTEN, this.#written);
    return place;
  }

  #isFull(): boolean {
    if (((this.#written - this.#takenSeen) | 0) < this.capacity) return false;
    this.#takenSeen = Atomics.load(this.#header, TAKEN);
    return ((this.#written - this.#takenSeen) | 0) >= this.capacity;
  }

  /**
   * The draining side: everything there is now, oldest first. Returns how many. The payload is
   * valid during the call only.
   */
  drain(take: (payload: Uint8Array, farEnd: Endpoint, atMs: number, place: number) => void): number {
    this.wish();
    let taken = Atomics.load(this.#header, TAKEN);
    const count = (Atomics.load(this.#header, WRITTEN) - taken) | 0;
    for (let i = 1; i <= count; i++) {
      const place = taken & (this.capacity - 1);
      const atMs = this.places.momentMs(place);
      const farEnd = this.places.farEnd(place);
      const payload = this.places.payload(place);
      taken = (taken + 1) | 0;
      // All of it is copied or read by now, except by a `take` that wants the place itself (it
      // keeps the place busy by its state).
      if (i % GIVE_BACK_EVERY === 0 || i === count) Atomics.store(this.#header, TAKEN, taken);
      take(payload, farEnd, atMs, place);
    }
    return count;
  }

  /** The draining side: to be woken at the next occasion. */
  wish(): void {
    Atomics.store(this.#header, WANTED, 1);
  }

  /**
   * The pushing side: true once for each wish since the last call (each drain is one): then the
   * draining side has to be woken.
   */
  takeWish(): boolean {
    return Atomics.exchange(this.#header, WANTED, 0) === 1;
  }

  get pendingCount(): number {
    return (Atomics.load(this.#header, WRITTEN) - Atomics.load(this.#header, TAKEN)) | 0;
  }

  /** Refused since the start, because the ring was full. Wraps at 2^31. */
  get lostCount(): number {
    return Atomics.load(this.#header, LOST) >>> 0;
  }
}
