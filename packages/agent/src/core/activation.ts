import type { MonotonicMs } from '@understudy/shared';
import { type Answer, compareRanks, type Rank } from './answers.ts';

/**
 * May this instance serve?
 *
 * ```
 *              active                     fenced
 *   standby ───────────► active ───────────────────► fenced
 *      ▲ ◄─────────────────┘  standby, leaseExpired,    │
 *      │                      resumed, identityLost     │
 *      └────────────────────────────────────────────────┘  only by a higher rank
 *   every state ── stop ──► stopped
 * ```
 *
 * Every process starts in standby: what was stored about serving is never believed.
 */
export type ActivationState =
  | { readonly kind: 'standby'; readonly reason: string; readonly incarnation: number }
  | {
      readonly kind: 'active';
      readonly rank: Rank;
      /** Serve lease: stop serving at this moment. Null = no self-fence. */
      readonly leaseUntilMs: number | null;
    }
  | { readonly kind: 'fenced'; readonly rank: Rank }
  | { readonly kind: 'stopped' };

export type ActivationEvent =
  /** The coordinators' answer, as decided (answers.ts). */
  | { readonly kind: 'active' | 'standby' | 'fenced'; readonly answer: Answer }
  /** The coordinators could not say, or no answer counts. */
  | { readonly kind: 'unknown' }
  /** `leaseUntilMs` has passed. */
  | { readonly kind: 'leaseExpired' }
  /** This process or machine was paused for longer than `distrustAfterPauseMs`. */
  | { readonly kind: 'resumed' }
  /** The metadata service names another instance than at start. */
  | { readonly kind: 'identityLost' }
  /** Orderly stop of the agent. */
  | { readonly kind: 'stop' };

export type Effect =
  /** Make file, systemd target and hook say this. */
  | { readonly kind: 'apply'; readonly state: 'active' | 'standby' | 'fenced'; readonly incarnation: number }
  /** Serve lease with policy `poweroff`: after deactivating, switch the machine off. */
  | { readonly kind: 'poweroff' };

export interface ServePolicy {
  readonly leaseMs: number;
  readonly onExpiry: 'deactivate' | 'poweroff';
}

type StateKind = ActivationState['kind'];
type EventKind = ActivationEvent['kind'];
interface Cell {
  readonly to: StateKind | 'same';
  /** The move needs an answer of strictly higher rank than the state's own. */
  readonly onlyHigherRank?: true;
  readonly why: string;
}

const same = (why: string): Cell => ({ to: 'same', why });
const UNKNOWN = same('a coordinator that cannot say changes nothing: neither starts nor stops a workload');
const STOP: Cell = {
  to: 'stopped',
  why: 'an agent that stops can no longer hear a fence, so it leaves nothing serving',
};
const OVER = same('the agent is stopping; the next process starts in standby');

/** Exported for the tests and the operator page. */
export const ACTIVATION_TABLE: Readonly<Record<StateKind, Readonly<Record<EventKind, Cell>>>> = {
  standby: {
    active: { to: 'active', why: 'the activation record names this instance' },
    standby: same('already so'),
    fenced: { to: 'fenced', why: 'this instance has been replaced, or is about to be' },
    unknown: UNKNOWN,
    leaseExpired: same('nothing is served, so no lease runs'),
    resumed: same('nothing is served; the next ack decides'),
    identityLost: same('nothing is served; the agent restarts'),
    stop: STOP,
  },
  active: {
    active: { to: 'active', why: 'still named: renews the serve lease' },
    standby: { to: 'standby', why: 'the activation record names another instance, or none' },
    fenced: { to: 'fenced', why: 'a replacement is under way: it may serve as soon as our fence is proven' },
    unknown: UNKNOWN,
    leaseExpired: { to: 'standby', why: 'nobody vouched for us for a whole lease: a leader may be waiting it out' },
    resumed: { to: 'standby', why: 'we may have been replaced meanwhile; a fresh ack brings us back within a second' },
    identityLost: { to: 'standby', why: 'this is a copy of the machine that was activated' },
    stop: STOP,
  },
  fenced: {
    active: {
      to: 'active',
      onlyHigherRank: true,
      why: 'a lagging coordinator may still say active at the old rank; the end of the recovery raises it',
    },
    standby: { to: 'standby', onlyHigherRank: true, why: 'as above: the way to active leads through here as well' },
    fenced: same('already so; keeps the higher rank'),
    unknown: UNKNOWN,
    leaseExpired: same('nothing is served, so no lease runs'),
    resumed: same('nothing is served'),
    identityLost: same('nothing is served; the agent restarts'),
    stop: STOP,
  },
  stopped: {
    active: OVER,
    standby: OVER,
    fenced: OVER,
    unknown: OVER,
    leaseExpired: OVER,
    resumed: OVER,
    identityLost: OVER,
    stop: OVER,
  },
};

export const INITIAL_ACTIVATION: ActivationState = { kind: 'standby', reason: 'start', incarnation: 0 };

export interface ActivationStep {
  readonly state: ActivationState;
  readonly effects: readonly Effect[];
}

/** Applies one event to one state. Returns the same state object when nothing changes. */
export function nextActivation(
  state: ActivationState,
  event: ActivationEvent,
  policy: ServePolicy,
  nowMs: MonotonicMs,
): ActivationStep {
  const cell = ACTIVATION_TABLE[state.kind][event.kind];
  const answer = 'answer' in event ? event.answer : null;
  if (cell.to === 'same') return { state: keepHighestFence(state, answer), effects: [] };
  if (cell.onlyHigherRank && !(answer && compareRanks(answer.rank, rankOf(state)) > 0)) return { state, effects: [] };
  if (cell.to === 'active') return answer ? activate(state, answer, policy, nowMs) : { state, effects: [] };
  return withdraw(state, cell.to, event, answer, policy);
}

const rankOf = (state: ActivationState): Rank => ('rank' in state ? state.rank : { incarnation: 0, term: 0n });

function keepHighestFence(state: ActivationState, answer: Answer | null): ActivationState {
  if (state.kind !== 'fenced' || answer?.activation !== 'fenced') return state;
  return compareRanks(answer.rank, state.rank) > 0 ? { kind: 'fenced', rank: answer.rank } : state;
}

/**
 * The lease runs from the moment the answered heartbeat was sent, not from the receipt of the ack:
 * a leader that waits the lease out counts from no earlier than that. Only an `active` answer of a
 * coordinator that sees a live leader renews it.
 */
function leaseUntil(state: ActivationState, answer: Answer, policy: ServePolicy): number | null {
  if (policy.leaseMs === 0) return null;
  const heldMs = state.kind === 'active' ? (state.leaseUntilMs ?? 0) : 0;
  // An answer that says nothing about the future (0) carries no lease. A leader that waits the
  // lease out counts on `holdsForMs`.
  if (!answer.leaderLive || answer.holdsForMs <= 0) return heldMs;
  return Math.max(heldMs, answer.askedAtMs + Math.min(policy.leaseMs, answer.holdsForMs));
}

function activate(state: ActivationState, answer: Answer, policy: ServePolicy, nowMs: MonotonicMs): ActivationStep {
  const leaseUntilMs = leaseUntil(state, answer, policy);
  // With a lease, an answer that cannot carry one (no live leader, or old already) does not allow a
  // start.
  if (state.kind !== 'active' && leaseUntilMs !== null && leaseUntilMs <= nowMs) return { state, effects: [] };
  const active: ActivationState = { kind: 'active', rank: answer.rank, leaseUntilMs };
  const { incarnation } = answer.rank;
  const told = state.kind === 'active' && state.rank.incarnation === incarnation;
  return { state: active, effects: told ? [] : [{ kind: 'apply', state: 'active', incarnation }] };
}

function withdraw(
  state: ActivationState,
  to: Exclude<StateKind, 'active'>,
  event: ActivationEvent,
  answer: Answer | null,
  policy: ServePolicy,
): ActivationStep {
  const incarnation = answer?.rank.incarnation ?? incarnationOf(state);
  const apply: Effect = { kind: 'apply', state: to === 'fenced' ? 'fenced' : 'standby', incarnation };
  const poweroff = event.kind === 'leaseExpired' && policy.onExpiry === 'poweroff';
  const effects: readonly Effect[] = poweroff ? [apply, { kind: 'poweroff' }] : [apply];
  if (to === 'stopped') return { state: { kind: 'stopped' }, effects };
  if (to === 'fenced' && answer) return { state: { kind: 'fenced', rank: answer.rank }, effects };
  return { state: { kind: 'standby', reason: event.kind, incarnation }, effects };
}

export function incarnationOf(state: ActivationState): number {
  switch (state.kind) {
    case 'standby':
      return state.incarnation;
    case 'active':
    case 'fenced':
      return state.rank.incarnation;
    case 'stopped':
      return 0;
  }
}
