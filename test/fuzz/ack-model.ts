import { createSecretKey, type KeyObject } from 'node:crypto';
import { tagIsRight } from './receiver-model.ts';

/**
 * What an agent has to do with a datagram, written a second time after `docs/heartbeat-protocol.md`
 * and the comments of `core/ledger.ts`.
 */

const ACK_AGE_MAX_MS = 10_000;
const LINKS_MAX = 8;
const PROBES = { perSecond: 10, burst: 20 };

export interface AgentIdentity {
  readonly keyId: number;
  readonly key: Uint8Array;
  /** Hex. */
  readonly agentId: string;
  readonly instanceHash: string;
}

interface ModelLink {
  readonly coordinatorHash: number;
  readonly highest: bigint;
  readonly atMs: number;
}

export type AgentOutcome = 'ack' | 'probe-reply' | (string & {});

export class AckModel {
  readonly #identity: AgentIdentity;
  readonly #key: KeyObject;
  readonly #sent = new Map<bigint, number>();
  #bootEpoch = 0n;
  #next = 0n;
  #links: readonly ModelLink[] = [];
  #tokens = PROBES.burst;
  #tokensAtMs: number;

  constructor(identity: AgentIdentity, nowMs: number) {
    this.#identity = identity;
    this.#key = createSecretKey(identity.key);
    this.#tokensAtMs = nowMs;
  }

  authentic(bytes: Uint8Array): boolean {
    return tagIsRight(Buffer.from(bytes), this.#key);
  }

  /** Notes that a heartbeat left the agent. */
  noteSent(heartbeat: Uint8Array, nowMs: number): void {
    const bytes = Buffer.from(heartbeat);
    const sequence = bytes.readBigUInt64BE(36);
    const epoch = bytes.readBigUInt64BE(28);
    if (epoch !== this.#bootEpoch) this.#sent.clear();
    this.#bootEpoch = epoch;
    this.#sent.set(sequence, nowMs);
    this.#next = sequence + 1n;
    for (const [old, atMs] of this.#sent) if (nowMs - atMs > ACK_AGE_MAX_MS) this.#sent.delete(old);
  }

  receive(datagram: Uint8Array, nowMs: number): AgentOutcome {
    const bytes = Buffer.from(datagram);
    const { keyId, agentId, instanceHash } = this.#identity;
    const length = [0, 160, 96, 160][bytes[1] ?? 0] ?? 0;
    if (bytes.length < 96 || bytes[0] !== 1 || bytes.length !== length) return 'not-ours';
    if (bytes[2] !== keyId || bytes.toString('hex', 4, 20) !== agentId) return 'not-ours';
    if (!this.authentic(bytes)) return 'bad-tag';
    const forUs = bytes.toString('hex', 20, 28) === instanceHash;
    if (bytes[1] === 3) return forUs ? this.#probe(nowMs) : 'other-instance-probe';
    if (bytes[1] !== 2 || (bytes[56] ?? 9) > 4 || (bytes[57] ?? 9) > 3) return 'malformed';
    return forUs ? this.#ack(bytes, nowMs) : 'other-instance';
  }

  #probe(nowMs: number): AgentOutcome {
    const refilled = Math.min(PROBES.burst, this.#tokens + ((nowMs - this.#tokensAtMs) / 1000) * PROBES.perSecond);
    this.#tokensAtMs = nowMs;
    // Ten tenths of a token make one, whatever binary fractions make of it.
    const isWhole = refilled > 1 - 1e-9;
    this.#tokens = isWhole ? Math.max(0, refilled - 1) : refilled;
    return isWhole ? 'probe-reply' : 'probe-budget';
  }

  #ack(bytes: Buffer, nowMs: number): AgentOutcome {
    if (bytes.readBigUInt64BE(28) !== this.#bootEpoch) return 'other-epoch';
    const sequence = bytes.readBigUInt64BE(36);
    if (sequence >= this.#next) return 'never-sent';
    const sentAtMs = this.#sent.get(sequence);
    if (sentAtMs === undefined || nowMs - sentAtMs > ACK_AGE_MAX_MS) return 'too-old';
    const saysStale = ((bytes[3] ?? 0) & 2) !== 0;
    if (saysStale && this.#next - sequence >= 64n) return 'too-old';
    const coordinatorHash = bytes.readUInt32BE(52);
    const known = this.#links.find((link) => link.coordinatorHash === coordinatorHash);
    if (known && sequence < known.highest) return 'out-of-order';
    const revokes = bytes[57] === 2 || bytes[57] === 3;
    if (known && sequence === known.highest && !revokes) return 'duplicate';
    const others = this.#links.filter((link) => link !== known).toSorted((a, b) => b.atMs - a.atMs);
    this.#links = [{ coordinatorHash, highest: sequence, atMs: nowMs }, ...others.slice(0, LINKS_MAX - 1)];
    return 'ack';
  }
}
