import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import {
  ACTIVATION_TABLE,
  type ActivationEvent,
  type ActivationState,
  INITIAL_ACTIVATION,
  nextActivation,
  type ServePolicy,
} from './activation.ts';
import { answerWith } from './core.fixtures.ts';

type StateKind = ActivationState['kind'];
type EventKind = ActivationEvent['kind'];

const NO_LEASE: ServePolicy = { leaseMs: 0, onExpiry: 'deactivate' };
const NOW = monotonicMs(2_000);

const STATES: Readonly<Record<StateKind, ActivationState>> = {
  standby: INITIAL_ACTIVATION,
  active: { kind: 'active', rank: { incarnation: 1, term: 5n }, leaseUntilMs: null },
  fenced: { kind: 'fenced', rank: { incarnation: 1, term: 5n } },
  stopped: { kind: 'stopped' },
};

const EVENTS: Readonly<Record<EventKind, ActivationEvent>> = {
  active: { kind: 'active', answer: answerWith('active') },
  standby: { kind: 'standby', answer: answerWith('standby') },
  fenced: { kind: 'fenced', answer: answerWith('fenced') },
  unknown: { kind: 'unknown' },
  leaseExpired: { kind: 'leaseExpired' },
  resumed: { kind: 'resumed' },
  identityLost: { kind: 'identityLost' },
  stop: { kind: 'stop' },
};

/**
 * State after the event, and what the workload is told. It is written by hand, apart from the table
 * of the code.
 */
const EXPECTED: Record<StateKind, Record<EventKind, readonly [StateKind, string]>> = {
  standby: {
    active: ['active', 'active'],
    standby: ['standby', ''],
    fenced: ['fenced', 'fenced'],
    unknown: ['standby', ''],
    leaseExpired: ['standby', ''],
    resumed: ['standby', ''],
    identityLost: ['standby', ''],
    stop: ['stopped', 'standby'],
  },
  active: {
    active: ['active', ''],
    standby: ['standby', 'standby'],
    fenced: ['fenced', 'fenced'],
    unknown: ['active', ''],
    leaseExpired: ['standby', 'standby'],
    resumed: ['standby', 'standby'],
    identityLost: ['standby', 'standby'],
    stop: ['stopped', 'standby'],
  },
  fenced: {
    active: ['fenced', ''],
    standby: ['fenced', ''],
    fenced: ['fenced', ''],
    unknown: ['fenced', ''],
    leaseExpired: ['fenced', ''],
    resumed: ['fenced', ''],
    identityLost: ['fenced', ''],
    stop: ['stopped', 'standby'],
  },
  stopped: {
    active: ['stopped', ''],
    standby: ['stopped', ''],
    fenced: ['stopped', ''],
    unknown: ['stopped', ''],
    leaseExpired: ['stopped', ''],
    resumed: ['stopped', ''],
    identityLost: ['stopped', ''],
    stop: ['stopped', ''],
  },
};

describe('activation', () => {
  for (const stateKind of Object.keys(STATES) as StateKind[]) {
    for (const eventKind of Object.keys(EVENTS) as EventKind[]) {
      const [to, told] = EXPECTED[stateKind][eventKind];
      it(`${stateKind} + ${eventKind} → ${to}${told ? `, tells the workload ${told}` : ''}`, () => {
        const step = nextActivation(STATES[stateKind], EVENTS[eventKind], NO_LEASE, NOW);
        expect(step.state.kind).toBe(to);
        expect(step.effects.map((effect) => (effect.kind === 'apply' ? effect.state : effect.kind)).join()).toBe(told);
        expect(ACTIVATION_TABLE[stateKind][eventKind].why).not.toBe('');
      });
    }
  }

  it('a fence is left only by an answer of strictly higher rank', () => {
    const fenced = STATES.fenced;
    const higherTerm = { kind: 'active', answer: answerWith('active', { term: 6n }) } as const;
    const higherIncarnation = { kind: 'standby', answer: answerWith('standby', { incarnation: 2, term: 1n }) } as const;
    expect(nextActivation(fenced, higherTerm, NO_LEASE, NOW).state.kind).toBe('active');
    expect(nextActivation(fenced, higherIncarnation, NO_LEASE, NOW).state.kind).toBe('standby');
  });

  it('a fence seen again at a higher rank keeps that rank', () => {
    const again = { kind: 'fenced', answer: answerWith('fenced', { incarnation: 2 }) } as const;
    const { state } = nextActivation(STATES.fenced, again, NO_LEASE, NOW);
    const old = { kind: 'active', answer: answerWith('active', { incarnation: 1, term: 99n }) } as const;
    expect(nextActivation(state, old, NO_LEASE, NOW).state.kind).toBe('fenced');
  });
});

describe('serve lease', () => {
  const lease: ServePolicy = { leaseMs: 10_000, onExpiry: 'poweroff' };
  const LONG = 60_000;
  const active = (changes: Parameters<typeof answerWith>[2] = {}): ActivationEvent => ({
    kind: 'active',
    answer: answerWith('active', {}, { holdsForMs: LONG, ...changes }),
  });
  const leaseOf = (state: ActivationState) => (state.kind === 'active' ? state.leaseUntilMs : 'not active');

  it('runs from the moment the answered heartbeat was sent, not from the receipt of its ack', () => {
    const { state } = nextActivation(INITIAL_ACTIVATION, active({ askedAtMs: monotonicMs(1_500) }), lease, NOW);
    expect(leaseOf(state)).toBe(11_500);
  });

  it('is as short as the coordinator says the activation holds', () => {
    const { state } = nextActivation(INITIAL_ACTIVATION, active({ holdsForMs: 4_000 }), lease, NOW);
    expect(leaseOf(state)).toBe(5_000);
  });

  it('is not renewed by a coordinator that sees no live leader, and does not start from one', () => {
    const leaderless = active({ leaderLive: false, askedAtMs: monotonicMs(9_000) });
    expect(nextActivation(INITIAL_ACTIVATION, leaderless, lease, NOW).state.kind).toBe('standby');
    const { state } = nextActivation(INITIAL_ACTIVATION, active(), lease, NOW);
    expect(leaseOf(nextActivation(state, leaderless, lease, NOW).state)).toBe(11_000);
  });

  it('is not carried by an answer that says nothing about the future', () => {
    const silent = active({ holdsForMs: 0 });
    expect(nextActivation(INITIAL_ACTIVATION, silent, lease, NOW).state.kind).toBe('standby');
    const { state } = nextActivation(INITIAL_ACTIVATION, active(), lease, NOW);
    const later = active({ holdsForMs: 0, askedAtMs: monotonicMs(9_000) });
    expect(leaseOf(nextActivation(state, later, lease, NOW).state)).toBe(11_000);
  });

  it('never gets shorter by a late answer', () => {
    const { state } = nextActivation(INITIAL_ACTIVATION, active({ askedAtMs: monotonicMs(1_900) }), lease, NOW);
    const late = active({ askedAtMs: monotonicMs(200) });
    expect(leaseOf(nextActivation(state, late, lease, NOW).state)).toBe(11_900);
  });

  it('withdraws first and then switches off when the policy says so', () => {
    const { state } = nextActivation(INITIAL_ACTIVATION, active(), lease, NOW);
    const { effects } = nextActivation(state, { kind: 'leaseExpired' }, lease, monotonicMs(11_000));
    expect(effects).toEqual([{ kind: 'apply', state: 'standby', incarnation: 1 }, { kind: 'poweroff' }]);
  });
});
