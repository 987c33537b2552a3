import {
  ACK_ACTIVATIONS,
  ACK_OPINIONS,
  type Ack,
  agentIdOf,
  coordinatorHashOf,
  decodeHeartbeat,
  deriveAgentKey,
  encodeAck,
  encodeProbe,
  type Endpoint,
  type Heartbeat,
  hmacOf,
  instanceHashOf,
} from '@understudy/shared';
import { AGENT_INSTANCE, AGENT_KEY, AGENT_MEMBER, type AgentTarget, COORDINATORS } from './agent-target.ts';
import { MASTER } from './coordinator-target.ts';
import type { Dice } from './dice.ts';
import { hostile, type Loot } from './mutations.ts';
import type { Source, Step } from './step.ts';

const ATTACKER: Endpoint = { address: '198.51.100.9', port: 6_666 };
/** More than an agent answers at once. */
const PROBE_BURST = 30;
const RECORDED_MAX = 256;
const BURST = 24;
const MAC = hmacOf(AGENT_KEY);
const IDS = COORDINATORS.map((_, index) => coordinatorHashOf(`c${index + 1}`));
const HEAD = { keyId: 1, agentId: agentIdOf(AGENT_MEMBER), instanceHash: instanceHashOf(AGENT_INSTANCE) };

const NEWEST = { newestEpoch: null, contested: false, heartbeatIntervalMs: 1_000 } as const;

/** Coordinators that answer most heartbeats, and an attacker between them and the agent. */
export class AgentSource implements Source {
  readonly #target: AgentTarget;
  readonly #dice: Dice;
  readonly #recorded: Uint8Array[] = [];
  readonly #loot: Loot;
  readonly #queue: Step[] = [];
  #nowMs = 10;
  #left = BURST;
  /** Sequences the agent has sent lately. */
  #lately: Heartbeat[] = [];

  constructor(target: AgentTarget, dice: Dice) {
    this.#target = target;
    this.#dice = dice;
    this.#loot = {
      recorded: this.#recorded,
      stolen: [hmacOf(deriveAgentKey(MASTER, 1, 'db/m5')), hmacOf(deriveAgentKey(MASTER, 2, AGENT_MEMBER))],
      // Answers as a corrupted coordinator would: rightly sealed, about a heartbeat that was sent,
      // and saying anything.
      ownFrame: (roll) => ({ bytes: this.#answer(roll.chance(0.3), roll), mac: MAC }),
    };
    this.#hear();
  }

  next(): Step {
    this.#hear();
    const queued = this.#queue.shift();
    if (queued) return queued;
    if (this.#left-- > 0) {
      const { bytes, what } = hostile(this.#dice, this.#loot);
      const from = this.#dice.chance(0.5) ? ATTACKER : this.#dice.pick(COORDINATORS);
      return { kind: 'datagram', atMs: this.#nowMs, from, bytes, what };
    }
    this.#left = BURST;
    this.#nowMs += 20 + this.#dice.below(230);
    return { kind: 'time', atMs: this.#nowMs };
  }

  /**
   * Takes what the agent has sent since. The attacker records it, and the coordinators answer it.
   */
  #hear(): void {
    for (const { bytes, to } of this.#target.sent) {
      const heartbeat = decodeHeartbeat(bytes);
      if (!heartbeat) continue;
      this.#lately = [...this.#lately.slice(-20), heartbeat];
      this.#record(bytes);
      const probes = this.#dice.chance(0.01) ? PROBE_BURST : this.#dice.chance(0.1) ? 1 : 0;
      for (let left = probes; left > 0; left--) this.#send(to, this.#probe(to), 'probe');
      if (this.#dice.chance(0.6)) this.#send(to, this.#genuine(heartbeat, to), 'genuine');
    }
    this.#target.sent = [];
  }

  #record(bytes: Uint8Array): void {
    if (this.#recorded.length < RECORDED_MAX) this.#recorded.push(bytes);
    else this.#recorded[this.#dice.below(RECORDED_MAX)] = bytes;
  }

  #send(from: Endpoint, bytes: Uint8Array, what: string): void {
    this.#record(bytes);
    this.#queue.push({ kind: 'datagram', atMs: this.#nowMs, from, bytes, what });
  }

  #probe(from: Endpoint): Uint8Array {
    const coordinatorHash = IDS[COORDINATORS.indexOf(from)] ?? 1;
    return encodeProbe({ ...HEAD, coordinatorHash, challenge: this.#dice.hex(8) }, MAC);
  }

  #genuine({ bootEpoch, sequence }: Heartbeat, from: Endpoint): Uint8Array {
    return encodeAck(this.#ackOf({ bootEpoch, sequence, coordinatorHash: IDS[COORDINATORS.indexOf(from)] ?? 1 }), MAC);
  }

  #ackOf(fields: Pick<Ack, 'bootEpoch' | 'sequence' | 'coordinatorHash'>): Ack {
    const says = { leaderLive: true, opinion: 'alive', activation: 'active', incarnation: 1 } as const;
    return { ...HEAD, ...says, ...fields, challenge: 'c1'.repeat(8), holdsForMs: 20_000, term: 5n, ...NEWEST };
  }

  #answer(asProbe: boolean, roll: Dice): Uint8Array {
    if (asProbe) return this.#probe(roll.pick(COORDINATORS));
    const { bootEpoch = 1n, sequence = 1n } = this.#lately.length > 0 ? roll.pick(this.#lately) : {};
    const about = roll.chance(0.1) ? sequence + BigInt(roll.below(3)) : sequence;
    const ack = this.#ackOf({
      bootEpoch,
      sequence: about,
      coordinatorHash: roll.chance(0.8) ? roll.pick(IDS) : roll.u32(),
    });
    const nonsense = { activation: roll.pick(ACK_ACTIVATIONS), opinion: roll.pick(ACK_OPINIONS), term: roll.u64() };
    return encodeAck(
      {
        ...ack,
        ...nonsense,
        incarnation: roll.below(3),
        holdsForMs: roll.u32(),
        heartbeatIntervalMs: roll.below(0x1_0000),
      },
      MAC,
    );
  }
}
