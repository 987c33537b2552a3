import {
  agentIdOf,
  type CheckReading,
  coordinatorHashOf,
  decodeAck,
  decodeProbe,
  deriveAgentKey,
  encodeAck,
  encodeHeartbeat,
  encodeProbe,
  type Endpoint,
  hmacOf,
  instanceHashOf,
  type Mac,
  type MemberId,
} from '@understudy/shared';
import { MASTER, ROSTER, TICK_MS } from './coordinator-target.ts';
import type { Dice } from './dice.ts';
import { hostile, type Loot } from './mutations.ts';
import type { Source, Step } from './step.ts';

const ATTACKERS: readonly Endpoint[] = [
  { address: '198.51.100.9', port: 6_666 },
  { address: '2001:db8::9', port: 53 },
  { address: '10.0.0.1', port: 7_000 },
];
const NO_CHALLENGE = '00'.repeat(8);
const RECORDED_MAX = 256;
/** Far enough from 0 that every edge of the window lies above it. */
const FIRST_SEQUENCE = 1_000n;
const CHECKS: readonly CheckReading[] = Array.from({ length: 7 }, (_, slot) => ({
  status: slot < 3 ? 'pass' : 'absent',
  code: 0,
  ageSeconds: 1,
}));

/** The datagrams of a genuine agent. */
class Speaker {
  readonly member: MemberId;
  readonly instanceId: string;
  readonly keyId: number;
  readonly mac: Mac;
  readonly from: Endpoint;
  epoch = 10n;
  sequence = FIRST_SEQUENCE;
  challenge = NO_CHALLENGE;
  nextAtMs: number;

  constructor(member: MemberId, instanceId: string, keyId: number, index: number, dice: Dice) {
    this.member = member;
    this.instanceId = instanceId;
    this.keyId = keyId;
    this.mac = hmacOf(deriveAgentKey(MASTER, keyId, member));
    this.from = { address: `10.0.0.${index + 1}`, port: 7_000 + index };
    this.nextAtMs = dice.below(1_000);
  }

  beat(flags: { readonly ackRequested?: boolean; readonly probeReply?: boolean } = {}): Uint8Array {
    this.sequence += 1n;
    return encodeHeartbeat(
      {
        keyId: this.keyId,
        flags: { ackRequested: false, probeReply: false, serving: true, goodbye: false, ...flags },
        agentId: agentIdOf(this.member),
        instanceHash: instanceHashOf(this.instanceId),
        bootEpoch: this.epoch,
        sequence: this.sequence,
        challenge: this.challenge,
        checks: CHECKS,
        servePromise: null,
        acks: [{ coordinatorHash: coordinatorHashOf('c1'), sequence: this.sequence }],
      },
      this.mac,
    );
  }
}

/** Answers of the coordinator under fire. Taking them empties the list. */
export interface Answering {
  lastAck: Uint8Array | null;
  probes: readonly { readonly member: MemberId; readonly bytes: Uint8Array }[];
}

/**
 * Healthy agents that now and then fall silent or restart, and an attacker who hears everything and
 * sends what he likes.
 */
export class CoordinatorSource implements Source {
  readonly #target: Answering;
  readonly #dice: Dice;
  readonly #speakers: readonly Speaker[];
  readonly #recorded: Uint8Array[] = [];
  readonly #loot: Loot;
  readonly #replies: Step[] = [];
  #nowMs = 0;
  #nextTickAtMs = TICK_MS;
  #nextHostileAtMs = 0;
  #listening: Speaker | null = null;

  constructor(target: Answering, dice: Dice) {
    this.#target = target;
    this.#dice = dice;
    this.#speakers = ROSTER.flatMap(({ member, activated, known }, index) => [
      new Speaker(member, activated, 1 + (index % 2), 2 * index, dice),
      ...known.map((instance) => new Speaker(member, instance, 1, 2 * index + 1, dice)),
    ]);
    const traitors = this.#speakers.slice(-4);
    const own = (roll: Dice) => {
      const speaker = roll.pick(traitors);
      const bytes = speaker.beat({ ackRequested: true });
      // It reaches the wire later than what follows it: out of order, at any distance.
      if (roll.chance(0.5)) this.#record(bytes.slice());
      return { bytes, mac: speaker.mac };
    };
    this.#loot = { recorded: this.#recorded, stolen: traitors.map(({ mac }) => mac), ownFrame: own };
    for (const speaker of this.#speakers) this.#recordFromBefore(speaker);
  }

  /**
   * Records what was on the wire before this coordinator's process began: another challenge, an
   * earlier boot, and frames of the other two types.
   */
  #recordFromBefore(speaker: Speaker): void {
    const { member, instanceId, keyId, mac } = speaker;
    const head = { keyId, agentId: agentIdOf(member), instanceHash: instanceHashOf(instanceId) };
    const challenge = this.#dice.hex(8);
    const coordinatorHash = coordinatorHashOf('c1');
    for (const epoch of [9n, 10n]) {
      const old = Object.assign(Object.create(Speaker.prototype) as Speaker, speaker, { epoch, challenge });
      for (let i = 0; i < 4; i++) this.#record(old.beat());
    }
    const ack = {
      leaderLive: true,
      opinion: 'alive',
      activation: 'active',
      incarnation: 1,
      holdsForMs: 20_000,
      newestEpoch: null,
      contested: false,
      heartbeatIntervalMs: 1_000,
    } as const;
    this.#record(
      encodeAck({ ...head, ...ack, bootEpoch: 10n, sequence: 3n, challenge, coordinatorHash, term: 5n }, mac),
    );
    this.#record(encodeProbe({ ...head, challenge, coordinatorHash }, mac));
  }

  #record(bytes: Uint8Array): void {
    if (this.#recorded.length < RECORDED_MAX) this.#recorded.push(bytes);
    else this.#recorded[this.#dice.below(RECORDED_MAX)] = bytes;
  }

  next(): Step {
    this.#hear();
    const reply = this.#replies.shift();
    if (reply) return reply;
    const speaker = this.#speakers.reduce((first, one) => (one.nextAtMs < first.nextAtMs ? one : first));
    const nextMs = Math.min(speaker.nextAtMs, this.#nextTickAtMs, this.#nextHostileAtMs);
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (nextMs === this.#nextTickAtMs) return this.#tick();
    return nextMs === speaker.nextAtMs ? this.#speak(speaker) : this.#attack();
  }

  #tick(): Step {
    this.#nextTickAtMs += TICK_MS;
    return { kind: 'time', atMs: this.#nowMs };
  }

  #speak(speaker: Speaker): Step {
    const dice = this.#dice;
    const silent = dice.chance(0.04);
    speaker.nextAtMs = this.#nowMs + (silent ? 2_000 + dice.below(10_000) : 900 + dice.below(200));
    if (dice.chance(0.01)) {
      speaker.epoch += 1n;
      speaker.sequence = FIRST_SEQUENCE;
    }
    const bytes = speaker.beat();
    this.#record(bytes);
    this.#listening = speaker;
    return { kind: 'datagram', atMs: this.#nowMs, from: speaker.from, bytes, what: 'genuine' };
  }

  #attack(): Step {
    this.#nextHostileAtMs = this.#nowMs + this.#dice.below(30);
    const { bytes, what } = hostile(this.#dice, this.#loot);
    this.#listening = null;
    return { kind: 'datagram', atMs: this.#nowMs, from: this.#dice.pick(ATTACKERS), bytes, what };
  }

  /** Delivers acks and probes to their receivers. The attacker records them on the way. */
  #hear(): void {
    const { lastAck, probes } = this.#target;
    if (lastAck) this.#record(lastAck);
    if (lastAck && this.#listening) this.#listening.challenge = decodeAck(lastAck)?.challenge ?? NO_CHALLENGE;
    this.#target.lastAck = null;
    this.#target.probes = [];
    for (const { member, bytes } of probes) this.#answerProbe(member, bytes);
  }

  #answerProbe(member: MemberId, bytes: Uint8Array): void {
    this.#record(bytes);
    const probe = decodeProbe(bytes);
    const speaker = this.#speakers.find(
      (one) => one.member === member && instanceHashOf(one.instanceId) === probe?.instanceHash,
    );
    if (!speaker || !probe || this.#dice.chance(0.5)) return;
    speaker.challenge = probe.challenge;
    const answer = speaker.beat({ probeReply: true });
    this.#replies.push({ kind: 'datagram', atMs: this.#nowMs, from: speaker.from, bytes: answer, what: 'probe-reply' });
  }
}
