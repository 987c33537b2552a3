import type { ObserverSettings } from '@understudy/observer/testing';
import { ObserverTable, type TagScheme } from '@understudy/observer';
import { type Ack, decodeAck, type MonotonicMs, type ServiceProbe } from '@understudy/shared';
import { BENCH_KEY, benchInstance, benchMember, HeartbeatSource } from './heartbeat-source.ts';

const FROM = { address: '127.0.0.1', port: 9 };
const ANSWER = { activation: 'active', incarnation: 1, holdsForMs: 20_000, term: 5, leaderLive: true } as const;

export function benchTable(
  agentCount: number,
  nowMs: MonotonicMs,
  settings: Partial<ObserverSettings> = {},
  serviceProbes: readonly ServiceProbe[] = [],
  tags?: TagScheme,
): ObserverTable {
  const table = new ObserverTable({
    coordinatorId: 'bench',
    startedAtMs: nowMs,
    nonce: new Uint8Array(32).fill(3),
    // There are two keys, as during a rotation, which is the dearer case.
    keyIds: [1, 2],
    keyOf: () => BENCH_KEY,
    activations: { answer: () => ANSWER },
    settings: { warmUpMs: 0, ...settings },
    ...(tags === undefined ? {} : { tags }),
  });
  const roster = Array.from({ length: agentCount }, (_, i) => ({
    member: benchMember(i),
    suspectAfterMs: 5_000,
    confirmForMs: 3_000,
    heartbeatIntervalMs: 1_000,
    activatedInstanceId: benchInstance(i),
    knownInstanceIds: [],
    serviceProbes,
    answeredProbesHoldForMs: 600_000,
  }));
  table.setRoster(roster, nowMs);
  return table;
}

/** The first heartbeat of an agent. Returns what it is to echo from then on. */
export function introduce(table: ObserverTable, source: HeartbeatSource, nowMs: MonotonicMs): string {
  const { ack } = table.receive(source.next(), FROM, nowMs);
  const answered: Ack | null = ack && decodeAck(ack);
  if (!answered) throw new Error('no ack for a first heartbeat');
  source.setChallenge(answered.challenge);
  return answered.challenge;
}

/** Lets the table hear an agent that is introduced already. */
export function hear(table: ObserverTable, source: HeartbeatSource, address: string, nowMs: MonotonicMs): void {
  introduce(table, source, nowMs);
  const { outcome } = table.receive(source.next(), { address, port: 9 }, nowMs);
  if (outcome !== 'recorded') throw new Error(`want recorded, got ${outcome}`);
}
