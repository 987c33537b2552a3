import { HEARTBEAT_BYTES, HEARTBEAT_OFFSET, MIDSTATE_WORDS } from '@understudy/shared';
import { assembleLanes, LANE_COUNT, LANE_INPUT, LANE_ROW_BYTES, LANE_STATE, LANE_TAG } from './sha256-lanes.ts';

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
const ALL_LANES = (1 << LANE_COUNT) - 1;

/**
 * Checks the tags of up to four heartbeats at once: same HMAC-SHA-256/128, about a quarter of the
 * time each.
 */
export class TagLanes {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #authenticate: () => void;
  readonly #expected = new Int32Array(LANE_COUNT * 4);

  private constructor(exports: LaneExports) {
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Int32Array(exports.memory.buffer);
    this.#authenticate = () => exports.authenticate();
  }

  /**
   * `null` where there is no WebAssembly SIMD (`--jitless`, old processors): the caller checks one
   * by one.
   */
  static create(): TagLanes | null {
    const wasm = Reflect.get(globalThis, 'WebAssembly') as WasmInterface;
    try {
      const instance = new wasm.Instance(new wasm.Module(assembleLanes()));
      return new TagLanes(instance.exports as LaneExports);
    } catch {
      return null;
    }
  }

  /**
   * `heartbeat`: all {@link HEARTBEAT_BYTES}; `states`/`offset`: the key, as written by
   * `writeMidstate`.
   */
  load(lane: number, heartbeat: Uint8Array, states: Int32Array, offset: number): void {
    const row = LANE_INPUT + lane * LANE_ROW_BYTES;
    const end = row + LANE_ROW_BYTES;
    this.#bytes.set(heartbeat, row);
    // The message's own tag has landed where the padding belongs: keep it, and put the padding
    // there.
    for (let word = 0, at = HEARTBEAT_OFFSET.tag; at < HEARTBEAT_BYTES; word++, at += 4) {
      this.#expected[lane * 4 + word] = word32(heartbeat, at);
      this.#words[(row + at) >> 2] = word === 0 ? 0x80 : 0;
    }
    this.#words[(end - 4) >> 2] = ((SIGNED_BITS & 0xff) << 24) | ((SIGNED_BITS >> 8) << 16);
    const state = (LANE_STATE >> 2) + lane * MIDSTATE_WORDS;
    for (let i = 0; i < MIDSTATE_WORDS; i++) this.#words[state + i] = states[offset + i] as number;
  }

  /**
   * Bit i is set when the tag of lane i is right. Lanes that were not loaded since give rubbish:
   * mask them.
   */
  verify(): number {
    this.#authenticate();
    let right = ALL_LANES;
    for (let lane = 0; lane < LANE_COUNT; lane++) {
      let difference = 0;
      for (let word = 0; word < 4; word++)
        difference |=
          (this.#words[(LANE_TAG >> 2) + word * LANE_COUNT + lane] as number) ^
          (this.#expected[lane * 4 + word] as number);
      if (difference !== 0) right &= ~(1 << lane);
    }
    return right;
  }
}

const word32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number);
