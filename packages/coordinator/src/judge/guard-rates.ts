import { durationText, type WallMs } from '@understudy/shared';
import { type GateResult, type GuardInput, gate } from './guard-input.ts';

const MINUTE_MS = 60_000;

/**
 * Token bucket replayed from the recorded starts, so that it survives a change of leader. It holds
 * `budgetBurst` tokens at most and gains one every `60 000 / budgetPerMinute` ms. A start in the
 * future (another leader's clock) counts as now.
 */
export function budgetLevel(
  startsWallMs: readonly number[],
  perMinute: number,
  burst: number,
  nowWallMs: number,
): number {
  const starts = startsWallMs.map((at) => Math.min(at, nowWallMs)).toSorted((a, b) => a - b);
  let level = burst;
  let atMs = starts[0] ?? nowWallMs;
  for (const start of starts) {
    level = Math.min(burst, level + ((start - atMs) * perMinute) / MINUTE_MS) - 1;
    atMs = start;
  }
  return Math.min(burst, level + ((nowWallMs - atMs) * perMinute) / MINUTE_MS);
}

export function budgetGate(input: GuardInput): GateResult {
  const { budgetPerMinute, budgetBurst } = input.limits;
  const limit = 'at least 1';
  if (input.goesOn === true)
    return gate('BudgetExhausted', true, { value: 'goes on with a failure that has its token', limit });
  const starts = input.recoveries.filter((one) => one.goesOn !== true).map((one) => one.startedAtWallMs);
  const level = budgetLevel(starts, budgetPerMinute, budgetBurst, input.wallNowMs);
  const waitMs = Math.ceil(((1 - level) * MINUTE_MS) / budgetPerMinute);
  const text = `${level.toFixed(2)} recoveries left in the budget of ${budgetPerMinute} per minute, burst ${budgetBurst}; 1 is needed`;
  // The level is a sum of fractions, so the comparison tolerates a rounding error.
  const value = `${level.toFixed(2)} recoveries left of ${budgetBurst}, ${budgetPerMinute} more per minute`;
  const said = { value, limit, text };
  return gate('BudgetExhausted', level >= 1 - 1e-9, said, (input.wallNowMs + waitMs) as WallMs);
}

export function concurrencyGate(input: GuardInput): GateResult {
  const open = input.recoveries.filter((one) => one.group === input.group && one.endedAtWallMs === null).length;
  const limit = input.policy.guard.concurrency;
  const value = `${open} recoveries open in group ${input.group}`;
  return gate('GroupConcurrency', open < limit, { value, limit: `below ${limit}`, text: `${value}, ${limit} allowed` });
}

/**
 * Those that a person has acknowledged are no reason to wait, nor are those that left the failure
 * to the next way: a failure ends once, and counts once.
 */
const endsOf = (input: GuardInput): number[] =>
  input.recoveries
    .filter((one) => one.failureGoesOn !== true)
    .flatMap((one) =>
      one.member === input.member && one.endedAtWallMs !== null && !one.acknowledged ? [one.endedAtWallMs] : [],
    );

/**
 * The cooldown counts from completion, not from the start: a long recovery must not use up its own
 * cooldown (orchestrator#1217).
 */
export function cooldownGate(input: GuardInput): GateResult {
  const lastEnd = Math.max(...endsOf(input), Number.NEGATIVE_INFINITY);
  const {
    guard: { cooldownMs },
  } = input.policy;
  const limit = `at least ${durationText(cooldownMs)} after the last one`;
  if (lastEnd === Number.NEGATIVE_INFINITY) return gate('Cooldown', true, { value: 'never recovered before', limit });
  const agoMs = input.wallNowMs - lastEnd;
  const text = `last recovery ended ${durationText(agoMs)} ago, cooldown ${durationText(cooldownMs)}`;
  const value = `last recovery ended ${durationText(Math.max(0, agoMs))} ago`;
  return gate('Cooldown', agoMs >= cooldownMs, { value, limit, text }, (lastEnd + cooldownMs) as WallMs);
}

export function flapGate(input: GuardInput): GateResult {
  const {
    guard: { flapLimit, flapWindowMs },
  } = input.policy;
  const within = endsOf(input).filter((end) => input.wallNowMs - end < flapWindowMs);
  const text = `${within.length} recoveries of this member within ${durationText(flapWindowMs)}, ${flapLimit} are flapping`;
  const oldest = Math.min(...within.toSorted((a, b) => b - a).slice(0, flapLimit), Number.POSITIVE_INFINITY);
  const value = `${within.length} recoveries of this member within ${durationText(flapWindowMs)}`;
  return gate(
    'Flapping',
    within.length < flapLimit,
    { value, limit: `below ${flapLimit}`, text },
    (oldest + flapWindowMs) as WallMs,
  );
}
