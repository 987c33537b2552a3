import type { MonotonicMs } from '@understudy/shared';
import type { OpinionReason } from './types.ts';

/**
 * An accusation in the making: begun at the tick that found the silence too long, dropped at the
 * next heartbeat.
 */
export interface Suspicion {
  readonly sinceMs: MonotonicMs;
  nextProbeAtMs: number;
  udpSent: number;
  /** When the second UDP probe went out; two, so that one lost datagram is no failed probe. */
  secondUdpAtMs: number;
  /** One per service probe of the group; none: only UDP confirms. */
  confirm: readonly ConfirmRow[];
  deadSinceMs: number;
}

/** Who is dead already is looked at no more: what confirmed it stays what it was. */
export const isOpen = (suspicion: Suspicion): boolean => suspicion.deadSinceMs === Number.POSITIVE_INFINITY;

/** What the newest look of one service probe said of the silent host. */
export interface ConfirmRow {
  nextAtMs: number;
  underWay: boolean;
  /** `wanted`: none was carried out yet. */
  result: 'wanted' | 'failed' | 'answered';
}

export const newConfirmation = (sinceMs: number, probeCount: number): ConfirmRow[] =>
  Array.from({ length: probeCount }, () => ({ nextAtMs: sinceMs, underWay: false, result: 'wanted' }));

export const newSuspicion = (sinceMs: MonotonicMs, probeCount: number): Suspicion => ({
  sinceMs,
  nextProbeAtMs: sinceMs,
  udpSent: 0,
  secondUdpAtMs: Number.POSITIVE_INFINITY,
  confirm: newConfirmation(sinceMs, probeCount),
  deadSinceMs: Number.POSITIVE_INFINITY,
});

/**
 * Six probes fit into the confirmation time, the last with time for its answer; at most one per
 * second. Six instead of four make one observer's false `dead` at 10 % loss 28 times rarer
 * (docs/detection.md), at no cost in time.
 */
export const probeIntervalMs = (confirmForMs: number): number => Math.max(50, Math.min(1_000, confirmForMs / 6));

export interface SilenceInput {
  readonly nowMs: number;
  readonly silentMs: number;
  readonly suspectAfterMs: number;
  readonly confirmForMs: number;
  /** Extra time before `dead` after a goodbye; 0 without one. */
  readonly graceMs: number;
  readonly probeTimeoutMs: number;
  /** How long after the confirmation time an answered service probe still delays `dead`. */
  readonly answeredHoldMs: number;
  readonly suspicion: Suspicion | null;
}

export interface SilenceVerdict {
  readonly verdict: 'alive' | 'suspect' | 'dead' | 'unknown';
  readonly reason: OpinionReason;
  /** When to look again if nothing is heard. */
  readonly lookAgainInMs: number;
}

/**
 * How long after the confirmation time, in ms, a service probe that was never carried out delays
 * the verdict (no descriptor was left, or too many were under way). After that this observer has no
 * verdict: it could not look, and must not keep those who could from deciding.
 */
const UNPROBED_MS = 15_000;

function udpFailed(input: SilenceInput, suspicion: Suspicion): boolean {
  const timeoutMs = Math.min(input.probeTimeoutMs, input.confirmForMs / 4);
  return input.nowMs >= suspicion.secondUdpAtMs + timeoutMs;
}

/**
 * Silence of one instance that was heard before, as heard by a healthy observer: `alive` until
 * `suspectAfterMs`, `suspect` for at least `confirmForMs` more, `dead` only when the probes of that
 * time failed too. An answered service probe is no heartbeat: whoever has the address may have
 * answered. So it delays, and not for ever.
 */
export function judgeSilence(input: SilenceInput): SilenceVerdict {
  const leftMs = input.suspectAfterMs - input.silentMs;
  if (leftMs > 0) return { verdict: 'alive', reason: 'Heard', lookAgainInMs: leftMs };
  const { suspicion } = input;
  const reason = input.graceMs > 0 ? 'Goodbye' : 'Silent';
  const confirmMs = input.confirmForMs + input.graceMs;
  if (!suspicion) return { verdict: 'suspect', reason, lookAgainInMs: confirmMs };
  const confirmLeftMs = confirmMs - (input.nowMs - suspicion.sinceMs);
  if (confirmLeftMs > 0) return { verdict: 'suspect', reason, lookAgainInMs: confirmLeftMs };
  if (!udpFailed(input, suspicion)) return { verdict: 'suspect', reason, lookAgainInMs: 0 };
  return judgeProbes(input, suspicion, -confirmLeftMs, reason);
}

function judgeProbes(
  input: SilenceInput,
  { confirm }: Suspicion,
  overMs: number,
  reason: OpinionReason,
): SilenceVerdict {
  const answered = confirm.some((row) => row.result === 'answered');
  if (answered && overMs < input.answeredHoldMs)
    return { verdict: 'suspect', reason: 'ProbeAnswered', lookAgainInMs: 0 };
  if (confirm.some((row) => row.result === 'wanted'))
    return overMs < UNPROBED_MS
      ? { verdict: 'suspect', reason, lookAgainInMs: 0 }
      : { verdict: 'unknown', reason: 'ProbeNotSent', lookAgainInMs: 0 };
  const reasonDead = answered ? 'AnsweredTooLong' : 'ProbesFailed';
  return { verdict: 'dead', reason: reasonDead, lookAgainInMs: Number.POSITIVE_INFINITY };
}

/**
 * φ = -log10 P(a heartbeat still comes after this silence), normal arrivals approximated by a
 * logistic curve (Hayashibara 2004; Akka's formula). For display: its variance can be dragged up
 * and its tail is wrong, so it decides nothing.
 */
export function phiOf(silentMs: number, meanMs: number, deviationMs: number): number {
  if (!(meanMs > 0)) return 0;
  const y = (silentMs - meanMs) / Math.max(deviationMs, 100);
  const e = Math.exp(-y * (1.5976 + 0.070566 * y * y));
  const tail = silentMs > meanMs ? e / (1 + e) : 1 - 1 / (1 + e);
  return Math.min(300, -Math.log10(tail));
}
