import type { Ack, AckActivation, MonotonicMs } from '@understudy/shared';

/** What one coordinator last said about our activation. */
export interface Answer {
  readonly activation: AckActivation;
  readonly rank: Rank;
  readonly leaderLive: boolean;
  /** When the heartbeat it answers was sent. The answer was true at that moment or later. */
  readonly askedAtMs: MonotonicMs;
  /** Until this moment it takes part when coordinators contradict each other. */
  readonly countsUntilMs: number;
  /** `holdsForMs` as received. 0: it says nothing about the future. */
  readonly holdsForMs: number;
}

/**
 * How new the etcd state behind an answer is: the activation's incarnation first, then the newest
 * revision of etcd it rests on. That is the leader's term, or the revision of the intent or the
 * activation that decides. Coordinators of earlier builds give the term alone.
 */
export interface Rank {
  readonly incarnation: number;
  readonly term: bigint;
}

/**
 * How long an answer counts that does not say how long it holds. It is also the most any answer
 * counts.
 */
export const ANSWER_COUNTS_MS = 15_000;
export const ANSWER_COUNTS_MAX_MS = 600_000;

export const answerOf = (ack: Ack, askedAtMs: MonotonicMs, nowMs: MonotonicMs): Answer => ({
  activation: ack.activation,
  rank: { incarnation: ack.incarnation, term: ack.term },
  leaderLive: ack.leaderLive,
  askedAtMs,
  countsUntilMs: nowMs + Math.min(ANSWER_COUNTS_MAX_MS, ack.holdsForMs || ANSWER_COUNTS_MS),
  holdsForMs: ack.holdsForMs,
});

export function compareRanks(a: Rank, b: Rank): number {
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation;
  if (a.term === b.term) return 0;
  return a.term < b.term ? -1 : 1;
}

/** At equal rank the answer that forbids more wins: serving twice is worse than not serving. */
const SEVERITY: Readonly<Record<AckActivation, number>> = { unknown: 0, active: 1, standby: 2, fenced: 3 };

/**
 * The one answer to act on when a new one has come in. Null: change nothing.
 *
 * - `unknown` answers do not take part.
 * - Answers below `highestIncarnation`, ever heard in this boot epoch, do not take part: a lagging
 *   coordinator cannot bring back the past.
 * - Among those that still count, the highest (incarnation, term) wins, then fenced > standby >
 *   active.
 *
 * Terms are compared only among answers that still count, so an etcd restored from a backup does
 * not silence everybody for ever.
 */
export function decideAnswer(links: readonly Link[], highestIncarnation: number, nowMs: MonotonicMs): Answer | null {
  let best: Answer | null = null;
  for (const { answer } of links) {
    if (answer.activation === 'unknown' || answer.rank.incarnation < highestIncarnation) continue;
    if (nowMs > answer.countsUntilMs) continue;
    if (best === null || outranks(answer, best)) best = answer;
  }
  return best;
}

function outranks(a: Answer, b: Answer): boolean {
  const order = compareRanks(a.rank, b.rank);
  if (order !== 0) return order > 0;
  const severity = SEVERITY[a.activation] - SEVERITY[b.activation];
  return severity !== 0 ? severity > 0 : a.askedAtMs > b.askedAtMs;
}

/** The highest incarnation that any answer names, `unknown` ones apart. */
export const highestIncarnationOf = (links: readonly Link[], atLeast: number): number =>
  links.reduce(
    (highest, { answer }) => (answer.activation === 'unknown' ? highest : Math.max(highest, answer.rank.incarnation)),
    atLeast,
  );

/** One coordinator, as it names itself in its acks. */
export interface Link {
  /** How often it asks us to speak. Null: it has not asked. */
  readonly heartbeatIntervalMs: number | null;
  readonly coordinatorHash: number;
  readonly challenge: string;
  readonly highestAcked: bigint;
  readonly lastAckAtMs: MonotonicMs;
  readonly answer: Answer;
}
