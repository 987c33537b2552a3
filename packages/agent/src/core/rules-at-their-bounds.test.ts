import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { type ActivationEvent, type ActivationState, INITIAL_ACTIVATION, nextActivation } from './activation.ts';
import { ANSWER_COUNTS_MAX_MS, ANSWER_COUNTS_MS, type Answer, answerOf, decideAnswer } from './answers.ts';
import { firstSequence } from './boot.ts';
import { ackOf, answerWith, INSTANCE_HASH } from './core.fixtures.ts';
import { acceptAck, ACK_AGE_MAX_MS, forgetAnswers, type Ledger, LINKS_MAX, newLedger, takeSequence } from './ledger.ts';
import { mayPet } from './watchdog.ts';

const at = monotonicMs;

describe('an answer', () => {
  it('is dated by its question, counts from its receipt, and for no longer than ten minutes', () => {
    const asked = at(1_000);
    const now = at(4_000);
    const holding = (holdsForMs: number) => answerOf(ackOf({ holdsForMs }), asked, now);
    expect(holding(5_000)).toMatchObject({ askedAtMs: 1_000, countsUntilMs: 9_000, holdsForMs: 5_000 });
    expect(holding(0).countsUntilMs).toBe(4_000 + ANSWER_COUNTS_MS);
    expect(holding(4_000_000).countsUntilMs).toBe(4_000 + ANSWER_COUNTS_MAX_MS);
  });

  const decide = (answers: readonly Answer[], nowMs = 5_000) => {
    const links = answers.map((answer, index) => ({ ...linkWith(answer), coordinatorHash: index + 1 }));
    return decideAnswer(links, 0, at(nowMs));
  };
  const linkWith = (answer: Answer) => ({
    challenge: '00'.repeat(8),
    highestAcked: 1n,
    heartbeatIntervalMs: null,
    lastAckAtMs: at(1),
    answer,
  });

  it('counts up to its last moment, and not after', () => {
    const until = answerWith('fenced', {}, { countsUntilMs: 5_000 });
    expect(decide([until], 5_000)?.activation).toBe('fenced');
    expect(decide([until], 5_001)).toBeNull();
  });

  it('of equal rank and severity: the one that was asked for last, whoever comes first', () => {
    const older = answerWith('active', {}, { askedAtMs: at(1_000) });
    const newer = answerWith('active', {}, { askedAtMs: at(2_000) });
    for (const answers of [
      [older, newer],
      [newer, older],
    ])
      expect(decide(answers)?.askedAtMs).toBe(2_000);
  });
});

describe('a serve lease', () => {
  const lease = { leaseMs: 10_000, onExpiry: 'poweroff' } as const;
  const now = at(20_000);
  const active = (changes: Partial<Answer>): ActivationEvent => ({
    kind: 'active',
    answer: answerWith('active', {}, { holdsForMs: 60_000, ...changes }),
  });

  it('that would end at this very moment is no licence to start', () => {
    const ending = (askedAtMs: number) =>
      nextActivation(INITIAL_ACTIVATION, active({ askedAtMs: at(askedAtMs) }), lease, now);
    expect(ending(10_000)).toEqual({ state: INITIAL_ACTIVATION, effects: [] });
    expect(ending(10_001)).toMatchObject({ state: { kind: 'active', leaseUntilMs: 20_001 } });
  });

  it('only its own end switches the machine off: a fence, a pause, or a stop only withdraws', () => {
    const { state } = nextActivation(INITIAL_ACTIVATION, active({ askedAtMs: now }), lease, now);
    const effectsOf = (event: ActivationEvent) =>
      nextActivation(state, event, lease, now).effects.map((effect) => effect.kind);
    expect(effectsOf({ kind: 'leaseExpired' })).toEqual(['apply', 'poweroff']);
    expect(effectsOf({ kind: 'resumed' })).toEqual(['apply']);
    expect(effectsOf({ kind: 'stop' })).toEqual(['apply']);
    expect(effectsOf({ kind: 'fenced', answer: answerWith('fenced') })).toEqual(['apply']);
    const noPoweroff = nextActivation(state, { kind: 'leaseExpired' }, { ...lease, onExpiry: 'deactivate' }, now);
    expect(noPoweroff.effects.map((effect) => effect.kind)).toEqual(['apply']);
  });

  it('a newer incarnation is told to the workload, the same one is not told again', () => {
    const none = { leaseMs: 0, onExpiry: 'deactivate' } as const;
    const first = nextActivation(INITIAL_ACTIVATION, { kind: 'active', answer: answerWith('active') }, none, now);
    expect(first.effects).toEqual([{ kind: 'apply', state: 'active', incarnation: 1 }]);
    const again = nextActivation(first.state, { kind: 'active', answer: answerWith('active') }, none, now);
    expect(again.effects).toEqual([]);
    const newer = answerWith('active', { incarnation: 2 });
    const next = nextActivation(first.state, { kind: 'active', answer: newer }, none, now);
    expect(next.effects).toEqual([{ kind: 'apply', state: 'active', incarnation: 2 }]);
  });
});

describe('an activation', () => {
  const none = { leaseMs: 0, onExpiry: 'deactivate' } as const;
  const now = at(20_000);
  const rank = { incarnation: 2, term: 5n };
  const states: readonly ActivationState[] = [
    INITIAL_ACTIVATION,
    { kind: 'active', rank, leaseUntilMs: null },
    { kind: 'fenced', rank },
    { kind: 'stopped' },
  ];

  it('that stays as it is tells the workload nothing at all', () => {
    let same = 0;
    for (const state of states)
      for (const kind of ['unknown', 'leaseExpired', 'resumed', 'identityLost'] as const) {
        const step = nextActivation(state, { kind }, none, now);
        if (step.state !== state) continue;
        same += 1;
        expect(step.effects, `${state.kind} + ${kind}`).toEqual([]);
      }
    expect(same).toBe(13);
    const [, , fenced] = states;
    if (!fenced) throw new Error('no fence');
    const lower = { kind: 'active', answer: answerWith('active', { incarnation: 2, term: 5n }) } as const;
    expect(nextActivation(fenced, lower, none, now)).toEqual({ state: fenced, effects: [] });
  });

  it('that is fenced keeps its rank when it is fenced again by somebody who knows less', () => {
    const [, , fenced] = states;
    if (!fenced) throw new Error('no fence');
    const rankAfter = (incarnation: number, term: bigint) => {
      const event = { kind: 'fenced', answer: answerWith('fenced', { incarnation, term }) } as const;
      const { state } = nextActivation(fenced, event, none, now);
      return state.kind === 'fenced' ? state.rank : null;
    };
    expect(rankAfter(1, 9n)).toEqual(rank);
    expect(rankAfter(2, 4n)).toEqual(rank);
    expect(rankAfter(2, 6n)).toEqual({ incarnation: 2, term: 6n });
  });

  it('that holds a lease is not prolonged by an answer that says nothing about the future, however new', () => {
    const lease = { leaseMs: 10_000, onExpiry: 'deactivate' } as const;
    const held: ActivationState = { kind: 'active', rank, leaseUntilMs: 21_000 };
    const until = (changes: Partial<Answer>) => {
      const event = {
        kind: 'active',
        answer: answerWith('active', rank, { askedAtMs: at(22_000), ...changes }),
      } as const;
      const { state } = nextActivation(held, event, lease, at(22_500));
      return state.kind === 'active' ? state.leaseUntilMs : null;
    };
    expect(until({ holdsForMs: 0 })).toBe(21_000);
    expect(until({ holdsForMs: 5_000, leaderLive: false })).toBe(21_000);
    expect(until({ holdsForMs: 5_000 })).toBe(27_000);
    expect(until({ holdsForMs: 50_000 })).toBe(32_000);
  });
});

describe('what is remembered of what was sent', () => {
  const beats = (count: number, everyMs: number): Ledger => {
    let ledger = newLedger(7n, 1n);
    for (let index = 0; index < count; index++) ledger = takeSequence(ledger, at(index * everyMs)).ledger;
    return ledger;
  };

  it('begins empty, and keeps what is not older than an ack may be', () => {
    expect(newLedger(7n, 1n)).toMatchObject({ sent: [], links: [], nextSequence: 1n });
    expect(beats(1, 0).sent).toEqual([{ sequence: 1n, atMs: 0 }]);
    const ledger = beats(12, 1_000);
    expect(ledger.sent.map((beat) => beat.atMs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((s) => s * 1_000));
    expect(takeSequence(ledger, at(11_000 + ACK_AGE_MAX_MS + 1)).ledger.sent).toHaveLength(1);
  });

  it('an ack of ten seconds ago counts, one of a moment more does not', () => {
    const ledger = beats(1, 0);
    expect(acceptAck(ledger, INSTANCE_HASH, ackOf(), at(ACK_AGE_MAX_MS)).kind).toBe('fresh');
    expect(acceptAck(ledger, INSTANCE_HASH, ackOf(), at(ACK_AGE_MAX_MS + 1))).toMatchObject({ reason: 'too-old' });
  });

  it.each([
    ['fenced', 'fresh'],
    ['standby', 'fresh'],
    ['active', 'refused'],
    ['unknown', 'refused'],
  ] as const)('a second ack of one heartbeat that says %s is %s: only what takes away counts', (activation, kind) => {
    const first = acceptAck(beats(1, 0), INSTANCE_HASH, ackOf(), at(10));
    if (first.kind !== 'fresh') throw new Error('refused');
    expect(acceptAck(first.ledger, INSTANCE_HASH, ackOf({ activation }), at(20)).kind).toBe(kind);
  });

  it('of too many coordinators the one that is silent longest is forgotten', () => {
    let ledger = beats(1, 0);
    const order = [3, 1, 2, 5, 4, 8, 6, 7, 9];
    for (const [index, coordinatorHash] of order.entries()) {
      const outcome = acceptAck(ledger, INSTANCE_HASH, ackOf({ coordinatorHash }), at(100 + index));
      if (outcome.kind === 'fresh') ledger = outcome.ledger;
    }
    expect(ledger.links).toHaveLength(LINKS_MAX);
    expect(ledger.links.map((link) => link.coordinatorHash)).toEqual(order.toReversed().slice(0, LINKS_MAX));
  });

  it('once forgotten, no answer and no question counts, and no leader lives', () => {
    const first = acceptAck(beats(1, 0), INSTANCE_HASH, ackOf(), at(10));
    if (first.kind !== 'fresh') throw new Error('refused');
    const { sent, links } = forgetAnswers(first.ledger);
    expect(sent).toEqual([]);
    expect(links.map(({ answer }) => [answer.activation, answer.leaderLive])).toEqual([['unknown', false]]);
    expect(acceptAck(forgetAnswers(first.ledger), INSTANCE_HASH, ackOf(), at(20))).toMatchObject({ reason: 'too-old' });
  });
});

it('two starts within one second never share a sequence: they are a million apart', () => {
  const wall = (ms: number) => firstSequence(ms as never);
  expect(wall(5_000)).toBe(1n);
  expect(wall(5_999)).toBe(999n * 1_048_576n + 1n);
  expect(wall(5_001) - wall(5_000)).toBe(1_048_576n);
});

describe('the watchdog', () => {
  it('is petted for an activation without a lease, and for a withdrawal until its time is over', () => {
    const rank = { incarnation: 1, term: 1n };
    const nowMs = at(1_000);
    const served = { kind: 'active', rank, leaseUntilMs: null } as const;
    expect(mayPet({ activation: served, workload: 'serving', withdrawByMs: null }, nowMs)).toBe(true);
    const fenced = { kind: 'fenced', rank } as const;
    expect(mayPet({ activation: fenced, workload: 'unknown', withdrawByMs: 1_001 }, nowMs)).toBe(true);
    expect(mayPet({ activation: fenced, workload: 'unknown', withdrawByMs: 1_000 }, nowMs)).toBe(false);
    expect(mayPet({ activation: fenced, workload: 'unknown', withdrawByMs: null }, nowMs)).toBe(false);
  });
});
