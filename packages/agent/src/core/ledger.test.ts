import { type Ack, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { ackOf, INSTANCE_HASH } from './core.fixtures.ts';
import {
  acceptAck,
  ACK_AGE_MAX_MS,
  ackSlots,
  type Ledger,
  LINKS_MAX,
  newLedger,
  SENT_MAX,
  takeSequence,
} from './ledger.ts';

const at = monotonicMs;

function sentTimes(count: number, everyMs = 1_000): Ledger {
  let ledger = newLedger(7n, 1n);
  for (let i = 0; i < count; i++) ledger = takeSequence(ledger, at(i * everyMs)).ledger;
  return ledger;
}

const accept = (ledger: Ledger, ack: Ack, nowMs: number) => {
  const outcome = acceptAck(ledger, INSTANCE_HASH, ack, at(nowMs));
  return outcome.kind === 'fresh' ? outcome : ({ kind: 'refused', reason: outcome.reason, ledger } as const);
};
const reasonOf = (outcome: ReturnType<typeof accept>) => (outcome.kind === 'refused' ? outcome.reason : 'fresh');

describe('acks', () => {
  it.each<[string, Partial<Ack>, string]>([
    ['of a heartbeat just sent', { sequence: 3n }, 'fresh'],
    ['that name another instance', { sequence: 3n, instanceHash: 'bb'.repeat(8) }, 'other-instance'],
    ['of an earlier start', { sequence: 3n, bootEpoch: 6n }, 'other-epoch'],
    ['of a sequence never sent', { sequence: 4n }, 'never-sent'],
    ['of sequence 0', { sequence: 0n }, 'too-old'],
  ])('%s', (_name, changes, expected) => {
    expect(reasonOf(accept(sentTimes(3), ackOf(changes), 2_100))).toBe(expected);
  });

  it('are refused when they come back later than 10 s after the heartbeat: what a socket kept through a pause is old news', () => {
    const ledger = sentTimes(1);
    expect(reasonOf(accept(ledger, ackOf(), ACK_AGE_MAX_MS))).toBe('fresh');
    expect(reasonOf(accept(ledger, ackOf(), ACK_AGE_MAX_MS + 1))).toBe('too-old');
  });

  it('of an older sequence than this coordinator has acked are refused; another coordinator may still ack it', () => {
    const { ledger } = accept(sentTimes(3), ackOf({ sequence: 3n }), 2_100);
    expect(reasonOf(accept(ledger, ackOf({ sequence: 2n }), 2_200))).toBe('out-of-order');
    expect(reasonOf(accept(ledger, ackOf({ sequence: 2n, coordinatorHash: 200 }), 2_200))).toBe('fresh');
  });

  it('repeated for one sequence may take the right to serve away, never give it', () => {
    const first = accept(sentTimes(3), ackOf({ sequence: 3n }), 2_100);
    expect(reasonOf(accept(first.ledger, ackOf({ sequence: 3n }), 2_200))).toBe('duplicate');
    const fenced = accept(first.ledger, ackOf({ sequence: 3n, activation: 'fenced' }), 2_200);
    expect(reasonOf(fenced)).toBe('fresh');
    expect(reasonOf(accept(fenced.ledger, ackOf({ sequence: 3n }), 2_300))).toBe('duplicate');
  });

  it('fill the slots of the next heartbeat, newest coordinator first, at most five', () => {
    let ledger = sentTimes(12, 10);
    for (let i = 1; i <= 12; i++) {
      ledger = accept(ledger, ackOf({ sequence: BigInt(i), coordinatorHash: i }), 200 + i).ledger;
    }
    expect(ledger.links.length).toBe(LINKS_MAX);
    expect(ackSlots(ledger).map((slot) => slot.coordinatorHash)).toEqual([12, 11, 10, 9, 8]);
  });

  it('what is remembered of sent heartbeats is bounded', () => {
    expect(sentTimes(SENT_MAX + 50, 1).sent.length).toBe(SENT_MAX);
  });
});
