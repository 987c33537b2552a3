import {
  type Ack,
  agentIdOf,
  type CheckReading,
  decodeAck,
  deriveAgentKey,
  type Endpoint,
  encodeHeartbeat,
  type HeartbeatFlags,
  hmacOf,
  instanceHashOf,
  type Mac,
  type MemberId,
  type MonotonicMs,
  monotonicMs,
  type ServePromise,
  tagMatches,
} from '@understudy/shared';
import type { ActivationAnswer } from './activation-source.ts';
import { ObserverTable } from './observer-table.ts';
import type { ObserverSettings, ReceiveResult, WatchedMember } from './types.ts';

export const MASTER = new Uint8Array(32).fill(7);
export const FROM: Endpoint = { address: '10.0.0.7', port: 7000 };
export const at = (ms: number): MonotonicMs => monotonicMs(ms);
export const PASSING: readonly CheckReading[] = Array.from({ length: 8 }, (_, slot) => ({
  status: slot < 3 ? 'pass' : 'absent',
  code: 0,
  ageSeconds: 1,
}));
export const FAILING: readonly CheckReading[] = PASSING.map((check, slot) =>
  slot === 1 ? { status: 'fail', code: 21, ageSeconds: 2 } : check,
);

/** An agent as far as its datagrams go: it echoes the challenge of the last ack it was shown. */
export class WireAgent {
  readonly member: MemberId;
  readonly instanceId: string;
  /** As it says itself. */
  instanceHash: string;
  readonly keyId: number;
  readonly mac: Mac;
  epoch = 1n;
  sequence = 0n;
  challenge = '00'.repeat(8);
  checks = PASSING;
  promise: ServePromise | null = null;

  constructor(member: MemberId, instanceId: string, keyId = 1) {
    this.member = member;
    this.instanceId = instanceId;
    this.instanceHash = instanceHashOf(instanceId);
    this.keyId = keyId;
    this.mac = hmacOf(deriveAgentKey(MASTER, keyId, member));
  }

  beat(flags: Partial<HeartbeatFlags> = {}): Uint8Array {
    this.sequence++;
    return encodeHeartbeat(
      {
        keyId: this.keyId,
        flags: { ackRequested: false, probeReply: false, serving: false, goodbye: false, ...flags },
        agentId: agentIdOf(this.member),
        instanceHash: this.instanceHash,
        bootEpoch: this.epoch,
        sequence: this.sequence,
        challenge: this.challenge,
        checks: this.checks,
        servePromise: this.promise,
        acks: [],
      },
      this.mac,
    );
  }

  /** Takes the challenge of an ack addressed to it; throws when the ack is not authentic. */
  hear(bytes: Uint8Array): Ack {
    if (!tagMatches(bytes, this.mac)) throw new Error('ack with a wrong tag');
    const ack = decodeAck(bytes);
    if (!ack) throw new Error('malformed ack');
    this.challenge = ack.challenge;
    return ack;
  }

  /** Introduces itself (the first heartbeat fetches the challenge) and is heard. */
  greet(table: ObserverTable, nowMs: number): void {
    const { ack } = table.receive(this.beat(), FROM, at(nowMs));
    if (ack) this.hear(ack);
    this.send(table, nowMs);
  }

  send(table: ObserverTable, nowMs: number, flags: Partial<HeartbeatFlags> = {}): ReceiveResult {
    const result = table.receive(this.beat(flags), FROM, at(nowMs));
    if (result.ack) this.hear(result.ack);
    return result;
  }
}

export const ANSWER: ActivationAnswer = {
  activation: 'active',
  incarnation: 1,
  holdsForMs: 20_000,
  term: 5,
  leaderLive: true,
};

export const watched = (member: MemberId, change: Partial<WatchedMember> = {}): WatchedMember => ({
  member,
  suspectAfterMs: 5_000,
  confirmForMs: 3_000,
  heartbeatIntervalMs: 1_000,
  activatedInstanceId: `i-${member.replace('/', '-')}`,
  knownInstanceIds: [],
  serviceProbes: [],
  answeredProbesHoldForMs: 600_000,
  ...change,
});

export interface TestObserver {
  readonly table: ObserverTable;
  answer: ActivationAnswer;
  /** What the last answer was asked with: when the agent's boot epoch was first heard. */
  bootHeardAtMs: number | null;
  /** … and what the heartbeat promised. */
  promise: ServePromise | null;
}

/** Warm from the start (at 0) unless told otherwise. */
export function observer(
  roster: readonly WatchedMember[],
  settings: Partial<ObserverSettings> = {},
  nonce = 1,
  startedAtMs = 0,
): TestObserver {
  const made: Omit<TestObserver, 'table'> & { table: ObserverTable | null } = {
    table: null,
    answer: ANSWER,
    bootHeardAtMs: null,
    promise: null,
  };
  const table = new ObserverTable({
    coordinatorId: 'c1',
    startedAtMs: at(startedAtMs),
    nonce: new Uint8Array(32).fill(nonce),
    keyIds: [1, 2],
    keyOf: (keyId, member) => deriveAgentKey(MASTER, keyId, member),
    activations: {
      answer: (_member, _hash, bootHeardAtMs, promise) => {
        Object.assign(made, { bootHeardAtMs, promise });
        return made.answer;
      },
    },
    settings: { warmUpMs: 0, ...settings },
  });
  table.setRoster(roster, at(startedAtMs));
  made.table = table;
  return made as TestObserver;
}

/**
 * Ticks every 250 ms up to and including `untilMs`; probes go out and are lost unless `answerProbe`
 * says otherwise.
 */
export function run(
  table: ObserverTable,
  fromMs: number,
  untilMs: number,
  onTick: (nowMs: number) => void = () => undefined,
): void {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 250) {
    table.tick(at(nowMs));
    for (const order of table.planProbes(at(nowMs))) table.probeResult(order, 'sent', at(nowMs));
    onTick(nowMs);
  }
}
