import { type HoldReason, type MemberId, type PlacementCandidate, retryAdvice } from '@understudy/shared';
import { endedForKeyPair, endedForQuota, endedForSubnet, sameQuota } from './ended-for.ts';
import type { AttemptFailure } from './launch-outcome.ts';
import { isRateRefusal } from './paths/initialization-rate.ts';

/** An attempt that was ended and whose permit is confirmed gone. */
export interface EndedAttempt {
  readonly round: number;
  readonly candidateIndex: number;
  readonly failure: AttemptFailure;
  readonly text: string;
  readonly endedAtWallMs: number;
  /**
   * Attempts of the unbroken series that made nothing that ran, this one included; 0: it did
   * launch.
   */
  readonly seriesLength: number;
  /** When that series began. */
  readonly seriesSinceWallMs: number;
}

export interface AttemptLimits {
  /** The member that is recovered. The advice of a hold names it. */
  readonly member: MemberId;
  /** What a person can do, where a new plan is none of it. Absent: the usual. */
  readonly advice?: string;
  readonly candidates: readonly PlacementCandidate[];
  /** Replacements of one round that may fail. */
  readonly maxAttempts: number;
  /** A person had the hold taken away that ended the round before. */
  readonly retryAsked: boolean;
  readonly nowWallMs: number;
  /** How long what makes nothing may go on. */
  readonly retryRefusedForMs: number;
  /** A candidate that was refused for its own fault is asked again after this long. */
  readonly condemnedForMs: number;
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
}

export type NextAttempt =
  | {
      readonly kind: 'attempt';
      readonly round: number;
      readonly candidateIndex: number;
      /** How long to wait before it. */
      readonly pauseMs: number;
      /** What the wait is for, with the time it began. Null: nothing. */
      readonly shortage: {
        readonly text: string;
        readonly sinceWallMs: number;
        /** The last one ended because the key of a volume could not be used. */
        readonly forKey: boolean;
      } | null;
    }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly text: string };

/** Characters of a reason that a hold shows. EC2's own texts can have thousands. */
const REASON_MAX = 200;
const NAMED_MAX = 10;
/** What one attempt costs the journal is paid at most once in this time, on the long run. */
const ATTEMPT_EVERY_MS = 60_000;

const isRefusal = (one: EndedAttempt): boolean => one.failure !== 'instance';

const named = (candidate: PlacementCandidate | undefined): string =>
  candidate ? `${candidate.instanceType} in ${candidate.subnetId} (${candidate.az})` : 'a candidate';

/**
 * How long one that was refused for its own fault is left alone: so that the journal grows by an
 * attempt a minute at most.
 */
const condemnedForMs = (limits: AttemptLimits): number =>
  Math.max(limits.condemnedForMs, limits.candidates.length * ATTEMPT_EVERY_MS);

/**
 * Indices of the candidates that were refused for a fault of their own, and are not asked again
 * yet.
 */
export function condemned(all: readonly EndedAttempt[], limits: AttemptLimits): ReadonlySet<number> {
  const round = all.at(-1)?.round ?? 1;
  const found = new Set<number>();
  for (const one of all) {
    if (one.round !== round) continue;
    const ageMs = limits.nowWallMs - one.endedAtWallMs;
    if (one.failure === 'placement' && Math.abs(ageMs) < condemnedForMs(limits)) found.add(one.candidateIndex);
    else found.delete(one.candidateIndex);
  }
  return found;
}

/**
 * The placement of the next attempt: the candidates in their order, again and again, without those
 * whose own fault it was. What made nothing (no capacity, a refusal, an answer that never came, a
 * key that EC2 could not use) costs no try: when all candidates have been asked, there is a pause
 * that grows, for as long as the policy says. Replacements that were launched and failed do cost
 * one, `maxAttempts` in one round. A new round begins only when a person has had the hold taken
 * away that ended the last one (`retryAsked`). Pure.
 */
export function nextAttempt(all: readonly EndedAttempt[], limits: AttemptLimits): NextAttempt {
  const round = all.at(-1)?.round ?? 1;
  const next = nextInRound(
    all.filter((one) => one.round === round),
    round,
    limits,
  );
  if (next.kind === 'hold' && limits.retryAsked) {
    return { kind: 'attempt', round: round + 1, candidateIndex: 0, pauseMs: 0, shortage: null };
  }
  return next;
}

function nextInRound(ended: readonly EndedAttempt[], round: number, limits: AttemptLimits): NextAttempt {
  const last = ended.at(-1);
  const { candidates } = limits;
  if (!last) return { kind: 'attempt', round, candidateIndex: 0, pauseMs: 0, shortage: null };
  const spent = exhausted(ended, last, limits);
  if (spent) return spent;
  if (refusedTheRate(ended))
    return { kind: 'attempt', round, candidateIndex: last.candidateIndex, pauseMs: 0, shortage: null };
  const unusable = condemned(ended, limits);
  const overQuota = withoutQuota(ended, limits);
  const turn = turnAfter(last, candidates);
  const [others, alike] = [turn.filter((one) => !overQuota.has(one)), turn.filter((one) => overQuota.has(one))];
  for (const candidateIndex of [...others, ...alike]) {
    if (unusable.has(candidateIndex)) continue;
    const pauseMs = pauseBefore(ended, candidateIndex, limits, candidates.length - unusable.size);
    const { failure, seriesSinceWallMs: sinceWallMs } = last;
    const shortage = isRefusal(last)
      ? { text: reasonsOf(ended, limits), sinceWallMs, forKey: failure === 'key' }
      : null;
    return { kind: 'attempt', round, candidateIndex, pauseMs, shortage };
  }
  return {
    kind: 'hold',
    reason: 'NoPlacementLeft',
    text: `EC2 refuses every placement candidate for a fault of its own: ${reasonsOf(ended, limits)}. Each is asked again after ${Math.round(
      condemnedForMs(limits) / 60_000,
    )} min. ${planAdvice(limits)}`,
  };
}

/**
 * Candidates whose type counts against a quota that was used up not long ago. They are asked when
 * no other is left: instances that were ended count against it for a while.
 */
function withoutQuota(ended: readonly EndedAttempt[], limits: AttemptLimits): ReadonlySet<number> {
  const recent = ended.filter(
    (one) => endedForQuota(one.text) && Math.abs(limits.nowWallMs - one.endedAtWallMs) < condemnedForMs(limits),
  );
  return new Set(recent.flatMap((one) => sameQuota(limits.candidates, one.candidateIndex)));
}

/**
 * The candidates in the order in which they are asked after this attempt. A subnet without
 * addresses is no fault of its zone: another subnet of it comes first. What is only without its key
 * pair now is asked again at once.
 */
function turnAfter({ candidateIndex, text }: EndedAttempt, candidates: readonly PlacementCandidate[]): number[] {
  const turn = candidates.map((_, step) => (candidateIndex + step + 1) % candidates.length);
  if (endedForKeyPair(text)) return [candidateIndex, ...turn.slice(0, -1)];
  const last = candidates[candidateIndex];
  if (!last || !endedForSubnet(text)) return turn;
  const isNear = (index: number): boolean => {
    const one = candidates[index];
    return one !== undefined && one.az === last.az && one.subnetId !== last.subnetId;
  };
  return [...turn.filter(isNear), ...turn.filter((index) => !isNear(index))];
}

/** The same placement does without the rate. Once: what is refused again has another cause. */
function refusedTheRate(ended: readonly EndedAttempt[]): boolean {
  const [before, last] = ended.slice(-2).map((one) => isRateRefusal(one.text));
  return ended.length === 1 ? before === true : last === true && before === false;
}

const planAdvice = ({ member, advice }: AttemptLimits): string => advice ?? retryAdvice(member, 'plan-may-be-wrong');

/** The policy is spent; null: it is not. */
function exhausted(ended: readonly EndedAttempt[], last: EndedAttempt, limits: AttemptLimits): NextAttempt | null {
  const made = ended.filter((one) => !isRefusal(one));
  if (made.length >= limits.maxAttempts) {
    const text = `${made.length} of ${limits.maxAttempts} replacements failed; the last: ${made.at(-1)?.text ?? ''}. ${planAdvice(limits)}`;
    return { kind: 'hold', reason: 'LaunchAttemptsExhausted', text };
  }
  if (!isRefusal(last) || limits.nowWallMs - last.seriesSinceWallMs < limits.retryRefusedForMs) return null;
  const since = new Date(last.seriesSinceWallMs).toISOString();
  const text = `nothing could be launched since ${since}, for as long as recover.retryRefusedForMs says: ${reasonsOf(ended, limits)}. ${planAdvice(limits)}`;
  return { kind: 'hold', reason: 'LaunchAttemptsExhausted', text };
}

/**
 * 0 for one that has not been asked since the last launch; then growing with every time all were
 * asked.
 */
function pauseBefore(
  ended: readonly EndedAttempt[],
  candidateIndex: number,
  limits: AttemptLimits,
  usableCount: number,
): number {
  if (endedForKeyPair(ended.at(-1)?.text ?? '')) return 0;
  const series = ended.slice(ended.findLastIndex((one) => !isRefusal(one)) + 1);
  if (!series.some((one) => one.candidateIndex === candidateIndex && one.failure !== 'placement')) return 0;
  const length = series.at(-1)?.seriesLength ?? 0;
  // Only the first of a turn waits; the others follow it at once.
  if (length % Math.max(1, usableCount) !== 0) return 0;
  const turns = Math.floor(length / Math.max(1, usableCount));
  const grown = Math.min(limits.pauseMaxMs, limits.pauseMs * 2 ** Math.min(Math.max(0, turns - 1), 20));
  const enough = turns <= 1 ? 0 : usableCount * Math.min(ATTEMPT_EVERY_MS, limits.pauseMs);
  return Math.max(grown, enough);
}

/** Each candidate with why it was refused last. */
function reasonsOf(ended: readonly EndedAttempt[], { candidates }: AttemptLimits): string {
  const lines = candidates.flatMap((candidate, index) => {
    const last = ended.findLast((one) => one.candidateIndex === index && isRefusal(one));
    return last ? [`${named(candidate)}: ${last.text.slice(0, REASON_MAX)}`] : [];
  });
  const more = lines.length > NAMED_MAX ? `; and ${lines.length - NAMED_MAX} more` : '';
  return `${lines.slice(0, NAMED_MAX).join('; ')}${more}`;
}
