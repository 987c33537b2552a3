import { HEARTBEAT_BYTES, HEARTBEAT_OFFSET } from '@understudy/shared';
import { MIDSTATE_WORDS, type TagScheme } from './hmac-midstate.ts';
import type { Keyring } from './keyring.ts';
import { assembleLanes, LANE_COUNT, LANE_INPUT, LANE_ROW_BYTES, LANE_STATE, LANE_TAG } from './sha256-lanes.ts';

/**
 * Says which heartbeats really come from the agents they name. Whoever receives heartbeats needs
 * nothing else of this folder.
 *
 * **What is checked.** The last 16 bytes of a heartbeat are its tag: the first 128 bits of
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the 144 bytes before, under the key of the member and
 * the key id that the heartbeat names. The agent makes it with `node:crypto`. A wrong tag proves
 * nothing about anybody, so the heartbeat is counted as forged and dropped.
 *
 * **Why not `node:crypto` here too.** It costs four times as much for so short a message, most of
 * it for making objects. HMAC hashes the padded key first, and the key stays the same: `keyring.ts`
 * keeps the two hash states that follow from it, 64 bytes for each member and key id. What is left
 * for one heartbeat is four SHA-256 blocks. `hmac-midstate.ts` hashes them one heartbeat at a time
 * in JavaScript. `sha256-lanes.ts` assembles a WebAssembly module that hashes four heartbeats side
 * by side, one in each 32-bit lane of a vector. What each way costs, and why the second one stays:
 * `docs/decisions/0046-receive-path.md`.
 *
 * **How it is known to be right.** Tests compare both ways with `node:crypto`, for every length of
 * message and for every single wrong bit. The fuzzer compares four at once with one by one.
 *
 * **What it must not do.** No branch and no index depends on the bytes of a key or of a tag, and
 * all words of a tag are compared. So the time of a check tells nobody how much of a guess was
 * right.
 */
export interface TagVerifier {
  /** How many heartbeats one check takes. 1 means that nothing is gained by collecting them. */
  readonly batchSize: number;
  /**
   * Checks the first `count` heartbeats, at most {@link batchSize}, each of `HEARTBEAT_BYTES`. Bit
   * i of the answer is set when heartbeat i carries the tag of the key at `keyOffsets[i]` in the
   * keyring. A negative offset means that there is no key, so its bit stays clear. The bytes are
   * only read.
   */
  verify(heartbeats: readonly Uint8Array[], keyOffsets: Int32Array, count: number): number;
}

/** Where keys lie prepared. */
type Keys = Pick<Keyring, 'states' | 'tagMatches'>;

/**
 * The fastest way that fits. `scheme` is set by the simulator only; four at once is for the real
 * tags, and only where there is WebAssembly SIMD (not with `--jitless` or on old processors).
 */
export function tagVerifier(keys: Keys, scheme?: TagScheme): TagVerifier {
  return (scheme === undefined ? FourAtOnce.create(keys) : null) ?? new OneByOne(keys);
}

export class OneByOne implements TagVerifier {
  readonly batchSize = 1;
  readonly #keys: Keys;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  verify(heartbeats: readonly Uint8Array[], keyOffsets: Int32Array, count: number): number {
    let accepted = 0;
    for (let i = 0; i < count; i++) {
      const offset = keyOffsets[i] as number;
      if (offset >= 0 && this.#keys.tagMatches(offset, heartbeats[i] as Uint8Array)) accepted |= 1 << i;
    }
    return accepted;
  }
}

/**
 * The little of WebAssembly's JavaScript interface that is used (the compiler's library has it only
 * for browsers).
 */
interface WasmInterface {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object) => { readonly exports: unknown };
}

interface LaneExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  authenticate(): void;
}

const SIGNED_BYTES = HEARTBEAT_OFFSET.tag;
const SIGNED_BITS = (64 + SIGNED_BYTES) * 8;

/** One heartbeat for each lane of a vector; a heartbeat alone is checked one by one. */
export class FourAtOnce implements TagVerifier {
  readonly batchSize = LANE_COUNT;
  readonly #keys: Keys;
  readonly #alone: OneByOne;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #authenticate: () => void;
  readonly #expected = new Int32Array(LANE_COUNT * 4);

  private constructor(keys: Keys, exports: LaneExports) {
    this.#keys = keys;
    this.#alone = new OneByOne(keys);
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Int32Array(exports.memory.buffer);
    this.#authenticate = () => exports.authenticate();
  }

  /** `null` where there is no WebAssembly SIMD. */
  static create(keys: Keys): FourAtOnce | null {
    const wasm = Reflect.get(globalThis, 'WebAssembly') as WasmInterface;
    try {
      const instance = new wasm.Instance(new wasm.Module(assembleLanes()));
      return new FourAtOnce(keys, instance.exports as LaneExports);
    } catch {
      return null;
    }
  }

  verify(heartbeats: readonly Uint8Array[], keyOffsets: Int32Array, count: number): number {
    if (count < 2) return this.#alone.verify(heartbeats, keyOffsets, count);
    for (let lane = 0; lane < count; lane++)
      if ((keyOffsets[lane] as number) >= 0)
        this.#load(lane, heartbeats[lane] as Uint8Array, keyOffsets[lane] as number);
    this.#authenticate();
    let accepted = 0;
    for (let lane = 0; lane < count; lane++)
      if ((keyOffsets[lane] as number) >= 0 && this.#isRight(lane)) accepted |= 1 << lane;
    return accepted;
  }

  #load(lane: number, heartbeat: Uint8Array, offset: number): void {
    const row = LANE_INPUT + lane * LANE_ROW_BYTES;
    const end = row + LANE_ROW_BYTES;
    this.#bytes.set(heartbeat, row);
    // The message's own tag has landed where the padding belongs. It is kept, and the padding is
    // put there.
    for (let word = 0, at = HEARTBEAT_OFFSET.tag; at < HEARTBEAT_BYTES; word++, at += 4) {
      this.#expected[lane * 4 + word] = word32(heartbeat, at);
      this.#words[(row + at) >> 2] = word === 0 ? 0x80 : 0;
    }
    this.#words[(end - 4) >> 2] = ((SIGNED_BITS & 0xff) << 24) | ((SIGNED_BITS >> 8) << 16);
    const { states } = this.#keys;
    const state = (LANE_STATE >> 2) + lane * MIDSTATE_WORDS;
    for (let i = 0; i < MIDSTATE_WORDS; i++) this.#words[state + i] = states[offset + i] as number;
  }

  #isRight(lane: number): boolean {
    let difference = 0;
    for (let word = 0; word < 4; word++)
      difference |=
        (this.#words[(LANE_TAG >> 2) + word * LANE_COUNT + lane] as number) ^
        (this.#expected[lane * 4 + word] as number);
    return difference === 0;
  }
}

const word32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number);
