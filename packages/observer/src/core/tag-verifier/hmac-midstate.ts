import type { Mac } from '@understudy/shared';

/**
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4) with both padded key blocks hashed ahead of time: what is
 * left per datagram is the message and one outer block. Bit for bit the same tags as `node:crypto`;
 * why it exists: `tag-verifier.ts`. Nothing here allocates per message.
 * Constant time: no branch or index depends on key or tag bytes.
 */

/**
 * 32-bit words of one key's state: inner hash after `key ^ ipad`, then outer hash after `key ^
 * opad`.
 */
export const MIDSTATE_WORDS = 16;
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/**
 * First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4
 * §4.2.2), exported for the vector version.
 */
export const SHA256_K: Int32Array = Int32Array.from(primes(64), (prime) => fraction32(Math.cbrt(prime), prime, 3));
/** Same of the square roots of the first 8 primes (FIPS 180-4 §5.3.3). */
export const SHA256_INITIAL: Int32Array = Int32Array.from(primes(8), (prime) => fraction32(Math.sqrt(prime), prime, 2));

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}

/**
 * floor(root · 2^32) mod 2^32, corrected with integers because a double has too few bits left to be
 * trusted here.
 */
function fraction32(root: number, value: number, power: 2 | 3): number {
  const shift = BigInt(32 * power);
  const target = BigInt(value) << shift;
  let guess = BigInt(Math.floor(root * 4_294_967_296));
  const raised = (x: bigint) => (power === 2 ? x * x : x * x * x);
  while (raised(guess) > target) guess--;
  while (raised(guess + 1n) <= target) guess++;
  return Number(BigInt.asIntN(32, guess));
}

const schedule = new Int32Array(64);
const work = new Int32Array(8);
const tag = new Int32Array(8);

function expandSchedule(): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
}

/** One block (already in {@link schedule}[0..15]) into `state`. */
function compress(state: Int32Array): void {
  expandSchedule();
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + (SHA256_K[i] as number) + (schedule[i] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = ((state[0] as number) + a) | 0;
  state[1] = ((state[1] as number) + b) | 0;
  state[2] = ((state[2] as number) + c) | 0;
  state[3] = ((state[3] as number) + d) | 0;
  state[4] = ((state[4] as number) + e) | 0;
  state[5] = ((state[5] as number) + f) | 0;
  state[6] = ((state[6] as number) + g) | 0;
  state[7] = ((state[7] as number) + h) | 0;
}

function loadBlock(bytes: Uint8Array, offset: number): void {
  for (let i = 0, at = offset; i < 16; i++, at += 4) {
    schedule[i] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
}

/**
 * The rest of the message from `offset`, the 1 bit, zeros and the length in bits; one block or two.
 */
function finish(state: Int32Array, bytes: Uint8Array, offset: number, length: number): void {
  schedule.fill(0, 0, 16);
  const rest = length - offset;
  for (let i = 0; i < rest; i++)
    schedule[i >> 2] = (schedule[i >> 2] as number) | ((bytes[offset + i] as number) << (24 - 8 * (i & 3)));
  schedule[rest >> 2] = (schedule[rest >> 2] as number) | (0x80 << (24 - 8 * (rest & 3)));
  if (rest + 1 + LENGTH_BYTES > BLOCK_BYTES) {
    compress(state);
    schedule.fill(0, 0, 16);
  }
  const bits = (BLOCK_BYTES + length) * 8;
  schedule[14] = Math.floor(bits / 4_294_967_296);
  schedule[15] = bits | 0;
  compress(state);
}

function padState(key: Uint8Array, pad: number, into: Int32Array, offset: number): void {
  const block = new Uint8Array(BLOCK_BYTES).fill(pad);
  key.forEach((byte, i) => {
    block[i] = byte ^ pad;
  });
  const state = SHA256_INITIAL.slice();
  loadBlock(block, 0);
  compress(state);
  into.set(state, offset);
}

/** Writes the {@link MIDSTATE_WORDS} words of `key` (at most 64 bytes) into `into` at `offset`. */
export function writeMidstate(key: Uint8Array, into: Int32Array, offset: number): void {
  if (key.length > BLOCK_BYTES) throw new RangeError(`want a key of at most ${BLOCK_BYTES} bytes, got ${key.length}`);
  padState(key, 0x36, into, offset);
  padState(key, 0x5c, into, offset + 8);
}

/** Leaves the HMAC of the first `length` bytes in {@link tag}. */
function digest(states: Int32Array, offset: number, bytes: Uint8Array, length: number): void {
  for (let i = 0; i < 8; i++) work[i] = states[offset + i] as number;
  let at = 0;
  for (; at + BLOCK_BYTES <= length; at += BLOCK_BYTES) {
    loadBlock(bytes, at);
    compress(work);
  }
  finish(work, bytes, at, length);
  for (let i = 0; i < 8; i++) {
    schedule[i] = work[i] as number;
    tag[i] = states[offset + 8 + i] as number;
  }
  schedule[8] = 0x8000_0000 | 0;
  schedule.fill(0, 9, 15);
  schedule[15] = (BLOCK_BYTES + 32) * 8;
  compress(tag);
}

/**
 * Do the last 16 bytes of `bytes` equal the truncated HMAC of everything before? Compares whole
 * words, all of them. `states`/`offset`: where {@link writeMidstate} put the key.
 */
export function midstateTagMatches(states: Int32Array, offset: number, bytes: Uint8Array): boolean {
  const signed = bytes.length - 16;
  if (signed <= 0) return false;
  digest(states, offset, bytes, signed);
  let difference = 0;
  for (let i = 0, at = signed; i < 4; i++, at += 4) {
    const word =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
    difference |= word ^ (tag[i] as number);
  }
  return difference === 0;
}

/** A {@link Mac} over prepared state: the full 32 bytes. */
export function midstateMac(states: Int32Array, offset: number): Mac {
  return (message) => {
    digest(states, offset, message, message.length);
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 8; i++) view.setInt32(i * 4, tag[i] as number);
    return bytes;
  };
}

/**
 * How a tag follows from prepared key state ({@link writeMidstate}). There is one that is safe,
 * {@link HMAC_TAGS}, and no configuration to choose another. The simulator, which has no secrets
 * and makes a hundred thousand tags a second, passes a cheap one to the constructor.
 */
export interface TagScheme {
  /** Do the last 16 bytes fit everything before them? */
  matches(states: Int32Array, offset: number, bytes: Uint8Array): boolean;
  mac(states: Int32Array, offset: number): Mac;
}

/** HMAC-SHA-256, truncated to 128 bits. */
export const HMAC_TAGS: TagScheme = { matches: midstateTagMatches, mac: midstateMac };
