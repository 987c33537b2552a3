import { type Endpoint, type MonotonicMs, monotonicMs } from '@understudy/shared';
import { ipv4Text, parseIpv4 } from '../core/addresses.ts';

/** Each word has a cache line of its own, so that the two sides do not slow each other down. */
const WRITTEN = 0;
const TAKEN = 16;
const LOST = 32;
const WANTED = 48;
const HEADER_BYTES = 256;
/** How many datagrams are taken before their places are given back. */
const GIVE_BACK_EVERY = 64;

/**
 * Carries datagrams from one thread to another, in the order they came. One side pushes, the other
 * drains, and nobody waits. A full ring refuses and counts.
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
  drain(take: (payload: Uint8Array, farEnd: Endpoint, atMs: MonotonicMs, place: number) => void): number {
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

/**
 * Longer datagrams are cut to this. No frame of ours is longer than 200 bytes, so what is cut was
 * none, and stays none.
 */
export const PAYLOAD_BYTES_MAX = 208;
const WHEN_OFFSET = 0;
const ADDRESS_OFFSET = 8;
const PORT_OFFSET = 12;
const LENGTH_OFFSET = 14;
const PAYLOAD_OFFSET = 16;
const TEXT_OFFSET = PAYLOAD_OFFSET + PAYLOAD_BYTES_MAX;
/** IPv6 with a zone: 45 characters, `%` and an interface name of 15. */
const TEXT_MAX = 63;
const STATE_OFFSET = TEXT_OFFSET + 64;
/** A place takes whole cache lines, so that the two threads do not write to the same one. */
export const PLACE_BYTES = 320;
/** How many texts of addresses are remembered. Beyond it all are forgotten and made again. */
const ADDRESSES_MAX = 65_536;

/**
 * Numbered places for one datagram each, in memory that two threads share: payload, far end, a
 * moment and a state. Who may touch a place when is the business of the ring around it. IPv4
 * addresses travel as numbers, others as text.
 */
export class DatagramPlaces {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #moments: Float64Array;
  readonly #scratch = new Uint8Array(PAYLOAD_BYTES_MAX);
  readonly #scratchWords = new Int32Array(this.#scratch.buffer);
  /** By length, made at first use: no view per datagram. */
  readonly #views: Uint8Array[] = [];
  readonly #addresses = new Map<number, string>();

  /** `offset`: where the first place begins; a multiple of 64. */
  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#bytes = new Uint8Array(memory, offset);
    this.#words = new Int32Array(memory, offset);
    this.#halves = new Uint16Array(memory, offset);
    this.#moments = new Float64Array(memory, offset);
  }

  write(place: number, payload: Uint8Array, { address, port }: Endpoint, atMs: number): void {
    const at = place * PLACE_BYTES;
    const length = Math.min(payload.length, PAYLOAD_BYTES_MAX);
    const address4 = parseIpv4(address);
    this.#moments[(at + WHEN_OFFSET) >> 3] = atMs;
    this.#words[(at + ADDRESS_OFFSET) >> 2] = address4 | 0;
    this.#halves[(at + PORT_OFFSET) >> 1] = port;
    this.#halves[(at + LENGTH_OFFSET) >> 1] = length;
    this.#bytes.set(length === payload.length ? payload : payload.subarray(0, length), at + PAYLOAD_OFFSET);
    if (address4 === 0) this.#writeText(at + TEXT_OFFSET, address);
  }

  #writeText(at: number, text: string): void {
    const length = Math.min(text.length, TEXT_MAX);
    this.#bytes[at] = length;
    for (let i = 0; i < length; i++) this.#bytes[at + 1 + i] = text.charCodeAt(i);
  }

  momentMs(place: number): MonotonicMs {
    return monotonicMs(this.#moments[(place * PLACE_BYTES + WHEN_OFFSET) >> 3] as number);
  }

  /** Valid until the next call. */
  payload(place: number): Uint8Array {
    const at = place * PLACE_BYTES;
    const length = this.#halves[(at + LENGTH_OFFSET) >> 1] as number;
    const from = (at + PAYLOAD_OFFSET) >> 2;
    for (let word = 0; word << 2 < length; word++) this.#scratchWords[word] = this.#words[from + word] as number;
    this.#views[length] ??= this.#scratch.subarray(0, length);
    return this.#views[length];
  }

  farEnd(place: number): Endpoint {
    const at = place * PLACE_BYTES;
    const address4 = (this.#words[(at + ADDRESS_OFFSET) >> 2] as number) >>> 0;
    const address = address4 === 0 ? this.#readText(at + TEXT_OFFSET) : this.#address(address4);
    return { address, port: this.#halves[(at + PORT_OFFSET) >> 1] as number };
  }

  #address(address4: number): string {
    const known = this.#addresses.get(address4);
    if (known !== undefined) return known;
    if (this.#addresses.size >= ADDRESSES_MAX) this.#addresses.clear();
    const text = ipv4Text(address4);
    this.#addresses.set(address4, text);
    return text;
  }

  #readText(at: number): string {
    return String.fromCharCode(...this.#bytes.subarray(at + 1, at + 1 + (this.#bytes[at] as number)));
  }

  /** Ordered: what was written before {@link setState} is seen after {@link state}. */
  state(place: number): number {
    return Atomics.load(this.#words, (place * PLACE_BYTES + STATE_OFFSET) >> 2);
  }

  setState(place: number, state: number): void {
    Atomics.store(this.#words, (place * PLACE_BYTES + STATE_OFFSET) >> 2, state);
  }
}
