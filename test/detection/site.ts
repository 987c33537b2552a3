import { MIDSTATE_WORDS, midstateMac, writeMidstate } from '@understudy/observer/testing';
import { ObserverTable, type ObserverTable as Table } from '@understudy/observer';
import {
  agentIdOf,
  decodeAck,
  deriveAgentKey,
  type Endpoint,
  encodeHeartbeat,
  instanceHashOf,
  type Mac,
  type MemberId,
  monotonicMs,
  DETECTION_PROFILES,
  type DetectionProfile,
  type OpinionVerdict,
} from '@understudy/shared';

export const MEMBER: MemberId = 'db/a';
export const INSTANCE = 'i-0a';
const FROM: Endpoint = { address: '10.0.0.7', port: 7_000 };
const KEY = deriveAgentKey(new Uint8Array(32).fill(7), 1, MEMBER);
const CHECKS = Array.from({ length: 8 }, () => ({ status: 'pass' as const, code: 0, ageSeconds: 1 }));

/** The settings without any configuration (`GroupPolicySchema`, the agent's `heartbeat`). */
export const DEFAULTS = {
  intervalMs: 1_000,
  jitterRatio: 0.1,
  suspectAfterMs: 5_000,
  confirmForMs: 3_000,
  tickMs: 250,
  /** Time from a probe to its answer, far below a tick. */
  roundTripMs: 4,
} as const;
export type Timing = { readonly [name in keyof typeof DEFAULTS]: number };

/** The times of a group with this profile, and nothing else in its policy. */
export function timingOf(profile: DetectionProfile): Timing {
  const { heartbeatIntervalMs: intervalMs, suspectAfterMs, confirmForMs } = DETECTION_PROFILES[profile];
  return { ...DEFAULTS, intervalMs, suspectAfterMs, confirmForMs };
}

/**
 * One coordinator's observer: the production table with the production detector, real datagrams,
 * and ticks at its own phase.
 */
export class Site {
  readonly table: Table;
  readonly timing: Timing;
  readonly #mac: Mac;
  #sequence = 0n;
  #challenge = '00'.repeat(8);
  nextTickMs: number;

  constructor(nonce: number, nowMs: number, phaseMs: number, timing: Timing = DEFAULTS) {
    const state = new Int32Array(MIDSTATE_WORDS);
    writeMidstate(KEY, state, 0);
    this.#mac = midstateMac(state, 0);
    this.timing = timing;
    this.table = new ObserverTable({
      coordinatorId: `c${nonce}`,
      startedAtMs: monotonicMs(nowMs),
      nonce: new Uint8Array(32).fill(nonce & 255),
      keyIds: [1],
      keyOf: () => KEY,
      activations: {
        answer: () => ({ activation: 'active', incarnation: 1, holdsForMs: 20_000, term: 5, leaderLive: true }),
      },
      settings: { warmUpMs: 0, tickMs: timing.tickMs },
    });
    const { suspectAfterMs, confirmForMs, intervalMs: heartbeatIntervalMs } = timing;
    const watched = {
      member: MEMBER,
      activatedInstanceId: INSTANCE,
      knownInstanceIds: [],
      serviceProbes: [],
      answeredProbesHoldForMs: 600_000,
    };
    this.table.setRoster([{ ...watched, suspectAfterMs, confirmForMs, heartbeatIntervalMs }], monotonicMs(nowMs));
    this.nextTickMs = nowMs + phaseMs;
    this.hear(nowMs);
    this.hear(nowMs);
    if (this.verdict !== 'alive') throw new Error('the first heartbeat was not heard');
  }

  /** Notes that this many heartbeats were sent and did not arrive. */
  miss(count: number): void {
    this.#sequence += BigInt(count);
  }

  /** An authentic heartbeat arrives. The first one fetches the challenge. */
  hear(atMs: number): void {
    this.#sequence += 1n;
    const heartbeat = encodeHeartbeat(
      {
        keyId: 1,
        flags: { ackRequested: false, probeReply: false, serving: true, goodbye: false },
        agentId: AGENT_ID,
        instanceHash: INSTANCE_HASH,
        bootEpoch: 1n,
        sequence: this.#sequence,
        challenge: this.#challenge,
        checks: CHECKS,
        servePromise: null,
        acks: [],
      },
      this.#mac,
    );
    const { outcome, ack } = this.table.receive(heartbeat, FROM, monotonicMs(atMs));
    if (outcome !== 'recorded' && this.#sequence > 1n) throw new Error(`a heartbeat was ${outcome}`);
    if (ack) this.#challenge = decodeAck(ack)?.challenge ?? this.#challenge;
  }

  /** Runs the tick that is due. Returns how many probes it sends. */
  tick(): number {
    const nowMs = monotonicMs(this.nextTickMs);
    this.nextTickMs += this.timing.tickMs;
    this.table.tick(nowMs);
    const orders = this.table.planProbes(nowMs);
    for (const order of orders) this.table.probeResult(order, 'sent', nowMs);
    return orders.length;
  }

  get verdict(): OpinionVerdict {
    return this.table.opinion(MEMBER)?.verdict ?? 'unknown';
  }
}

const AGENT_ID = agentIdOf(MEMBER);
const INSTANCE_HASH = instanceHashOf(INSTANCE);
