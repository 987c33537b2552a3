import { type Timing } from './site.ts';

/**
 * The rates that have to come out, by arithmetic.
 *
 * A heartbeat was received at 0. The next ones are sent at S_k, sums of k independent intervals,
 * each uniform in interval × (1 ± jitter). Each is lost with probability p. So nothing is heard
 * until T with probability E[p^N(T)], where N(T) is how many S_k are before T. With F_k the
 * distribution of S_k,
 *
 * ```
 * E[p^N(T)] = Σ_k p^k (F_k(T) − F_{k+1}(T)),       F_k = Irwin-Hall, scaled.
 * ```
 *
 * The observer looks every `tickMs` at a phase u that is independent of the heartbeats. It finds
 * the silence at suspectAfterMs + u, u uniform in [0, tickMs), and decides exactly confirmForMs
 * later, as that is a whole number of ticks. Meanwhile it has sent n probes. Each fails when it is
 * lost or its answer is: 1 − (1 − p)². Hence, for every heartbeat received,
 *
 * ```
 * P(suspect) = avg_u E[p^N(suspectAfterMs + u)],
 * P(dead)    = avg_u E[p^N(suspectAfterMs + u + confirmForMs)] · (1 − (1 − p)²)^n.
 * ```
 *
 * Silences that begin with the answer to a probe instead of a heartbeat are left out. There are as
 * few of them as there are suspicions.
 */
export interface Rates {
  /** Rates per heartbeat that is received. */
  readonly suspect: number;
  readonly dead: number;
  readonly probes: number;
}

const PHASES = 50;

/** `probes`: as if that many were sent. Default: as many as are. */
export function expectedRates(p: number, timing: Timing, probes = probesUntilDecision(timing)): Rates {
  const { suspectAfterMs, confirmForMs, tickMs } = timing;
  let suspect = 0;
  let silent = 0;
  for (let i = 0; i < PHASES; i++) {
    const phaseMs = ((i + 0.5) / PHASES) * tickMs;
    suspect += unheard(p, suspectAfterMs + phaseMs, timing) / PHASES;
    silent += unheard(p, suspectAfterMs + confirmForMs + phaseMs, timing) / PHASES;
  }
  return { suspect, dead: silent * (1 - (1 - p) ** 2) ** probes, probes };
}

/**
 * Rate per heartbeat sent: it is the last that any of `observers` hears before all of them say
 * `dead`. They share only the heartbeats, so all lose one with p^observers, and all their probes
 * have to fail. It is only about right (each looks at a phase of its own): use it for the order of
 * magnitude.
 */
export function expectedClusterRate(p: number, timing: Timing, observers: number): number {
  const all = p ** observers;
  const probesFail = (1 - (1 - p) ** 2) ** (observers * probesUntilDecision(timing));
  const untilMs = timing.suspectAfterMs + timing.confirmForMs + timing.tickMs / 2;
  return (1 - all) * unheard(all, untilMs, timing) * probesFail;
}

/**
 * One probe at the start and one every sixth of the confirmation time (at most a second), each at a
 * tick, before the tick that decides.
 */
export function probesUntilDecision({ confirmForMs, tickMs }: Timing): number {
  const everyMs = Math.ceil(Math.max(50, Math.min(1_000, confirmForMs / 6)) / tickMs) * tickMs;
  return Math.ceil(confirmForMs / everyMs);
}

/** E[p^N(T)]. */
function unheard(p: number, untilMs: number, { intervalMs, jitterRatio }: Timing): number {
  const shortestMs = intervalMs * (1 - jitterRatio);
  const widthMs = 2 * intervalMs * jitterRatio;
  const sentBefore = (k: number) => (k === 0 ? 1 : irwinHall(k, (untilMs - k * shortestMs) / widthMs));
  let sum = 0;
  for (let k = 0; k * shortestMs <= untilMs; k++) sum += p ** k * (sentBefore(k) - sentBefore(k + 1));
  return sum;
}

/** Distribution function of the sum of n uniform numbers in [0, 1). */
export function irwinHall(n: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= n) return 1;
  // The alternating sum loses digits beyond the middle, so this takes the short side.
  if (x > n / 2) return 1 - irwinHall(n, n - x);
  let sum = 0;
  let choose = 1;
  let factorial = 1;
  for (let i = 1; i <= n; i++) factorial *= i;
  for (let k = 0; k <= x; k++) {
    sum += (k % 2 === 0 ? 1 : -1) * choose * (x - k) ** n;
    choose = (choose * (n - k)) / (k + 1);
  }
  return sum / factorial;
}

/**
 * 95 % limit for an event seen `count` times (Poisson). For none it is the rule of three; beyond
 * that, Wilson-Hilferty's approximation of χ².
 */
export function upperBound95(count: number): number {
  if (count === 0) return 3;
  const m = count + 1;
  return m * (1 - 1 / (9 * m) + 1.6449 / (3 * Math.sqrt(m))) ** 3;
}
