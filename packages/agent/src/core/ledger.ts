import { type Ack, ACK_SLOT_COUNT, type Heartbeat, type MonotonicMs } from '@understudy/shared';
import { answerOf, type Link } from './answers.ts';

/**
 * What was sent and what came back: sequences, and per coordinator the challenge to echo, the
 * highest sequence it acknowledged and its last answer. It is a value; every function returns the
 * next one.
 */
export interface Ledger {
  readonly bootEpoch: bigint;
  readonly nextSequence: bigint;
  /** Newest last, at most {@link SENT_MAX}. */
  readonly sent: readonly SentBeat[];
  /** At most {@link LINKS_MAX}. Beyond it, the one that has been silent longest is forgotten. */
  readonly links: readonly Link[];
}

interface SentBeat {
  readonly sequence: bigint;
  readonly atMs: MonotonicMs;
}

/** Remembered heartbeats: with {@link ACK_AGE_MAX_MS} this covers 40 a second. */
export const SENT_MAX = 400;
export const LINKS_MAX = 8;
/**
 * An ack for a heartbeat sent longer ago is refused: after a pause the socket may hand us what was
 * true an hour ago.
 */
export const ACK_AGE_MAX_MS = 10_000;
export const NO_CHALLENGE = '00'.repeat(8);

export const newLedger = (bootEpoch: bigint, firstSequence: bigint): Ledger => ({
  bootEpoch,
  nextSequence: firstSequence,
  sent: [],
  links: [],
});

/** Numbers one heartbeat (the same for all coordinators it goes to) and remembers when. */
export function takeSequence(
  ledger: Ledger,
  nowMs: MonotonicMs,
): { readonly ledger: Ledger; readonly sequence: bigint } {
  const sequence = ledger.nextSequence;
  // An ack of an older one is refused anyway. At one a second a dozen are left to copy, not
  // hundreds.
  const firstYoung = ledger.sent.findIndex((beat) => nowMs - beat.atMs <= ACK_AGE_MAX_MS);
  const sent = firstYoung < 0 ? [] : ledger.sent.slice(Math.max(firstYoung, ledger.sent.length - SENT_MAX + 1));
  sent.push({ sequence, atMs: nowMs });
  return { ledger: { ...ledger, nextSequence: sequence + 1n, sent }, sequence };
}

/**
 * Begins another boot epoch. Sequences go on counting, so that an ack of the old epoch fits none.
 */
export const beginEpoch = (ledger: Ledger, bootEpoch: bigint): Ledger => ({ ...ledger, bootEpoch, sent: [] });

/**
 * An ack that calls a heartbeat stale is refused when that heartbeat is this far behind the newest.
 * This is as wide as a receiver's window: hearing that an older one is stale tells nothing new.
 */
const STALE_WITHIN_BEATS = 64n;

export type AckRefusal = 'other-instance' | 'other-epoch' | 'never-sent' | 'too-old' | 'out-of-order' | 'duplicate';

export type AckOutcome =
  | { readonly kind: 'fresh'; readonly ledger: Ledger; readonly link: Link }
  | { readonly kind: 'refused'; readonly reason: AckRefusal };

/**
 * Takes an ack whose tag was already found good. It is fresh when it names our instance and our
 * boot epoch, echoes a sequence we really sent within the last {@link ACK_AGE_MAX_MS}, and this
 * coordinator has not acknowledged that or a later one. There is one exception to the last rule: a
 * second ack of the same sequence that *takes away* the right to serve is taken. One that grants it
 * could be a replay from before.
 */
export function acceptAck(ledger: Ledger, instanceHash: string, ack: Ack, nowMs: MonotonicMs): AckOutcome {
  if (ack.instanceHash !== instanceHash) return { kind: 'refused', reason: 'other-instance' };
  if (ack.bootEpoch !== ledger.bootEpoch) return { kind: 'refused', reason: 'other-epoch' };
  if (ack.sequence >= ledger.nextSequence) return { kind: 'refused', reason: 'never-sent' };
  const beat = ledger.sent.find((sent) => sent.sequence === ack.sequence);
  if (!beat || nowMs - beat.atMs > ACK_AGE_MAX_MS) return { kind: 'refused', reason: 'too-old' };
  if (ack.newestEpoch !== null && ledger.nextSequence - ack.sequence >= STALE_WITHIN_BEATS)
    return { kind: 'refused', reason: 'too-old' };
  const known = ledger.links.find((link) => link.coordinatorHash === ack.coordinatorHash);
  if (known && ack.sequence < known.highestAcked) return { kind: 'refused', reason: 'out-of-order' };
  const revokes = ack.activation === 'fenced' || ack.activation === 'standby';
  if (known && ack.sequence === known.highestAcked && !revokes) return { kind: 'refused', reason: 'duplicate' };
  const link: Link = {
    coordinatorHash: ack.coordinatorHash,
    challenge: ack.challenge,
    highestAcked: ack.sequence,
    lastAckAtMs: nowMs,
    answer: answerOf(ack, beat.atMs, nowMs),
    // A stale ack has no room for it, and takes back nothing.
    heartbeatIntervalMs: ack.newestEpoch === null ? ack.heartbeatIntervalMs : (known?.heartbeatIntervalMs ?? null),
  };
  return { kind: 'fresh', ledger: { ...ledger, links: withLink(ledger.links, link) }, link };
}

function withLink(links: readonly Link[], link: Link): readonly Link[] {
  const others = links.filter((other) => other.coordinatorHash !== link.coordinatorHash);
  const byNews = others.toSorted((a, b) => b.lastAckAtMs - a.lastAckAtMs);
  return [link, ...byNews.slice(0, LINKS_MAX - 1)];
}

/**
 * Forgets all that was said or asked before, because the clock that dates it has not counted how
 * long ago that was.
 */
export const forgetAnswers = (ledger: Ledger): Ledger => ({
  ...ledger,
  sent: [],
  links: ledger.links.map((link) => ({
    ...link,
    answer: { ...link.answer, activation: 'unknown', leaderLive: false },
  })),
});

export const linkOf = (ledger: Ledger, coordinatorHash: number | undefined): Link | undefined =>
  ledger.links.find((link) => link.coordinatorHash === coordinatorHash);

/** The ack slots of a heartbeat: the most recently heard coordinators first. */
export const ackSlots = (ledger: Ledger): Heartbeat['acks'] =>
  ledger.links
    .slice(0, ACK_SLOT_COUNT)
    .map((link) => ({ coordinatorHash: link.coordinatorHash, sequence: link.highestAcked }));
