import { MIDSTATE_WORDS, midstateMac, writeMidstate } from '@understudy/observer/testing';
import {
  agentIdOf,
  encodeHeartbeat,
  type Heartbeat,
  HEARTBEAT_BYTES,
  HEARTBEAT_OFFSET,
  instanceHashOf,
  type Mac,
  type MemberId,
  TAG_BYTES,
} from '@understudy/shared';

/**
 * Benchmarks measure the receiver. Every agent here has the same key, so that making datagrams is
 * cheap. Each row still keeps its own state.
 */
export const BENCH_KEY = new Uint8Array(32).fill(11);
/**
 * Length of a datagram with its sending time in it. It is too short for a heartbeat, so an observer
 * counts it as malformed and drops it.
 */
export const MARK_BYTES = 8;
/** Strings in one piece, as they come out of JSON. */
const flat = (text: string): string => Buffer.from(text).toString();
export const benchMember = (index: number): MemberId => flat(`bench/m${index}`) as MemberId;
export const benchInstance = (index: number): string => flat(`i-${index.toString(16).padStart(17, '0')}`);

const state = new Int32Array(MIDSTATE_WORDS);
writeMidstate(BENCH_KEY, state, 0);
export const benchMac: Mac = midstateMac(state, 0);

/**
 * Makes datagrams of one agent after another: a template per agent, stamped with sequence,
 * challenge and tag.
 */
export class HeartbeatSource {
  readonly #template: Uint8Array;
  sequence = 0;

  constructor(index: number) {
    const heartbeat: Heartbeat = {
      keyId: 1,
      flags: { ackRequested: false, probeReply: false, serving: true, goodbye: false },
      agentId: agentIdOf(benchMember(index)),
      instanceHash: instanceHashOf(benchInstance(index)),
      bootEpoch: 1n,
      sequence: 0n,
      challenge: '00'.repeat(8),
      checks: Array.from({ length: 8 }, (_, slot) => ({
        status: slot < 3 ? ('pass' as const) : ('absent' as const),
        code: 0,
        ageSeconds: 1,
      })),
      servePromise: null,
      acks: [],
    };
    // The template is a copy. Frames are cut from a slab that many of them share, and this one is
    // written to by its buffer.
    this.#template = Uint8Array.from(encodeHeartbeat(heartbeat, benchMac));
  }

  setChallenge(hex: string): void {
    this.#template.set(Buffer.from(hex, 'hex'), HEARTBEAT_OFFSET.challenge);
  }

  /** Writes the next heartbeat to `into` at `offset`. */
  writeNext(into: Uint8Array, offset: number): void {
    const bytes = this.#template;
    // A frame is cut from a slab, so its buffer holds others too.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(HEARTBEAT_OFFSET.sequence + 4, ++this.sequence);
    const signed = HEARTBEAT_BYTES - TAG_BYTES;
    bytes.set(benchMac(bytes.subarray(0, signed)).subarray(0, TAG_BYTES), signed);
    into.set(bytes, offset);
  }

  next(): Uint8Array {
    const bytes = new Uint8Array(HEARTBEAT_BYTES);
    this.writeNext(bytes, 0);
    return bytes;
  }
}
