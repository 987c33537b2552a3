import {
  durationText,
  type MonotonicMs,
  type ServeContract,
  type ServeLeasePolicy,
  type ServePromise,
} from '@understudy/shared';

/**
 * Waiting out a serve lease: when may a leader conclude, from time alone, that an instance it
 * cannot see has stopped serving?
 *
 * Let `T` be the moment the intent was committed, `F` = `answersHoldMs`, `S` = `stopWithinMs`, `ρ`
 * the drift of a clock.
 *
 * 1. A coordinator says `active` only from a view of etcd that was proven current at some `v`, and
 *    says that it holds for `F − (now − v)`.
 * 2. A view with `v ≥ T` contains the intent, and answers `fenced`. So for every `active`, `v < T`.
 * 3. The agent counts what it was told from the moment it *asked*, which lies before the answer was
 *    computed. Its lease therefore ends, on its own clock, before `v + F`, which is before `T + F`
 *    but for the drift of the two clocks: before `T + F / (1 − ρ)`. How late the answer arrives
 *    does not matter, nor who was paused meanwhile.
 * 4. By `S` on the agent's clock after its lease ended the workload has stopped: by the hook, or
 *    because the watchdog has reset the machine.
 * 5. So at `T + (F + S) / (1 − ρ)` nothing serves any more, and a leader that has measured `(F + S)
 *    · (1 + ρ) / (1 − ρ)` on its own clock since it saw the intent knows it.
 *
 * What this takes for granted is written down as A11 and A12 in `docs/SPEC.md`.
 */

/** The terms that are agreed on. */
export type ServeTerms = Omit<ServeContract, 'id'>;

/** Bound on a clock's drift. Quartz and NTP's slewing stay below 0.001; this is ten times that. */
const DRIFT_MAX = 0.01;
/** Covers rounding, timers and thread switches. In ms. */
const MARGIN_MS = 2_000;
/** Covers a heartbeat's way through the network and our own queue. In ms. */
const TRANSIT_MAX_MS = 5_000;

/** How long to wait from the commit of the intent, by any clock of ours. In ms. */
export const leaseOverAfterMs = ({ answersHoldMs, stopWithinMs }: ServeTerms): number =>
  Math.ceil(((answersHoldMs + stopWithinMs) * (1 + DRIFT_MAX)) / (1 - DRIFT_MAX)) + MARGIN_MS;

/** Why a promise does not fulfil what is asked. Null: it does. */
export function promiseFault(
  asked: Pick<ServeContract, 'stopWithinMs' | 'requireWatchdog'>,
  promise: ServePromise | null,
): string | null {
  if (promise === null) return 'its agent keeps no serve lease (serve.leaseMs)';
  const promisedMs = promise.stopWithinSeconds * 1_000;
  if (promisedMs > asked.stopWithinMs)
    return `its agent stops within ${durationText(promisedMs)}, the policy asks for ${durationText(asked.stopWithinMs)}`;
  return asked.requireWatchdog && !promise.watchdog ? 'its agent has no armed watchdog' : null;
}

/**
 * The contract that a member's record should have. Null: none. It comes into force once the agent
 * of the activated instance was heard to fulfil it, so that a change of policy cuts off no running
 * workload. It ends with the policy.
 */
export function contractDue(
  policy: ServeLeasePolicy | null,
  present: ServeTerms | null,
  promise: ServePromise | null,
  answersHoldMs: number | null,
): ServeTerms | null {
  if (policy === null) return null;
  if (answersHoldMs === null) return present;
  const { stopWithinMs, requireWatchdog } = policy;
  const wanted: ServeTerms = { stopWithinMs, requireWatchdog, answersHoldMs };
  return promiseFault(wanted, promise) === null ? wanted : present;
}

export function sameTerms(a: ServeTerms | null, b: ServeTerms | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.stopWithinMs === b.stopWithinMs && a.requireWatchdog === b.requireWatchdog && a.answersHoldMs === b.answersHoldMs
  );
}

/**
 * The longest time any coordinator's answer holds, from the presence records of all live
 * coordinators. Null where there is none.
 */
export function answersHoldMsOf(coordinators: Iterable<{ readonly answersHoldMs: number }>): number | null {
  let longestMs = 0;
  for (const { answersHoldMs } of coordinators) longestMs = Math.max(longestMs, answersHoldMs);
  return longestMs === 0 ? null : longestMs;
}

export interface ContractSeen {
  readonly contract: ServeContract;
  /** Since when our view has held exactly this contract without interruption. */
  readonly sinceMs: MonotonicMs;
}

/** Whether a lease counts, in words for people where it does not. */
export type LeaseStanding =
  | { readonly kind: 'counts'; readonly overAfterMs: number }
  | { readonly kind: 'not'; readonly text: string };

/**
 * Says whether the member's serve lease would count if its instance fell silent now.
 *
 * **S**: it counts only if we ourselves heard that instance promise it at a moment from which no
 * process of it could be activated without promising: the contract was in force, and every answer
 * from before it had run out. A process that came later had to promise too, whether we heard it or
 * not. `own.stallEndedAtMs`: what waited in our socket while we were paused says nothing about when
 * it was sent.
 */
export function leaseStanding(
  seen: ContractSeen | null,
  heard: { readonly lastHeardAtMs: MonotonicMs; readonly servePromise: ServePromise | null } | null,
  own: { readonly stallEndedAtMs: number; readonly answersHoldMs: number | null },
): LeaseStanding {
  if (seen === null) return { kind: 'not', text: 'no serve lease is agreed with it' };
  if (own.answersHoldMs === null || own.answersHoldMs > seen.contract.answersHoldMs)
    return { kind: 'not', text: 'not every coordinator keeps to what was agreed with it' };
  if (heard === null) return { kind: 'not', text: 'this coordinator has never heard its instance' };
  const fault = promiseFault(seen.contract, heard.servePromise);
  if (fault !== null) return { kind: 'not', text: fault };
  const settledMs = seen.contract.answersHoldMs * (1 + 2 * DRIFT_MAX) + TRANSIT_MAX_MS;
  const countsFromMs = Math.max(seen.sinceMs, own.stallEndedAtMs) + settledMs;
  if (heard.lastHeardAtMs < countsFromMs)
    return { kind: 'not', text: `its promise was not heard for ${durationText(settledMs)} after it was agreed` };
  return { kind: 'counts', overAfterMs: leaseOverAfterMs(seen.contract) };
}
