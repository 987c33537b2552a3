import type { Random } from '@understudy/shared';
import { type LossPath, normal } from './chance.ts';
import { DEFAULTS, Site, type Timing } from './site.ts';

/** A silence long enough to matter, with its moments in one agent's world. */
export interface Silence {
  /** The moment of the last heartbeat heard before. */
  readonly heardMs: number;
  /**
   * All heartbeats that were sent since, up to the one (or the probe's answer) that was heard
   * again.
   */
  readonly beatsMs: readonly number[];
  readonly endMs: number;
  readonly suspected: boolean;
  /** From here to `endMs` the observer said `dead`. Null: it never did. */
  readonly deadMs: number | null;
}

export interface StreamTotals {
  /** Heartbeats sent, skipped ones included. */
  beats: number;
  /** Heartbeats received. */
  received: number;
  /** Silences that reached `suspectAfterMs`, each played through the table. */
  episodes: number;
  suspected: number;
  dead: number;
}

interface StreamOptions {
  readonly path: LossPath;
  readonly random: Random;
  /** With independent loss of this ratio: jumps from one long run of losses to the next. */
  readonly skipRatio?: number;
  /** Jumps over all silences that cannot become `dead`. It counts those, and no suspicions. */
  readonly onlyDeaths?: boolean;
  readonly timing?: Timing;
}

/**
 * One healthy agent as one observer hears it, for as long as asked. Only silences that can make the
 * detector speak are played through it.
 *
 * The jump. A silence shorter than `suspectAfterMs` is `alive` whatever else happens, and its end
 * puts the detector back to where it was, so it need not be played. Below m = ⌈suspectAfterMs ÷
 * longest interval⌉ − 1 losses in a row (4 at defaults) it is always shorter. With independent loss
 * p a received heartbeat is followed by m or more losses with probability q = p^m. So the number G
 * of received heartbeats that are not is geometric, P(G ≥ g) = (1 − q)^g, and each of those is
 * followed by K < m losses, P(K = k) ∝ p^k. G is drawn exactly. The sum of the K's, which only says
 * how much time has passed, is drawn exactly for small G and by its normal limit otherwise. Then
 * come m losses for certain, and from there on every heartbeat and every probe is drawn one by one.
 * Where only deaths are asked for, the same holds with suspectAfterMs + confirmForMs instead: m =
 * 7, and a thousand times as much time in the same effort. (A probe's answer may end such a silence
 * while some of its m losses are still to come: they come after it.) A test compares the stream
 * with and without the jump, where both can be done.
 *
 * The table's own time is that of the silences alone, one after the other. Between them there is
 * nothing it would remember (the mean interval, for display, aside). Its ticks run on at their
 * phase, which is drawn anew for each silence.
 */
export class Stream {
  readonly totals: StreamTotals = { beats: 0, received: 0, episodes: 0, suspected: 0, dead: 0 };
  readonly #path: LossPath;
  readonly #random: Random;
  readonly #skipRatio: number | null;
  readonly #timing: Timing;
  readonly #certainLosses: number;
  /** How many of the next heartbeats are lost for certain. */
  #owed = 0;
  readonly #site: Site;
  /** Moment of the site ÷ moment of the world. */
  #siteMs = 0;
  #heardMs = 0;
  #nextBeatMs: number;
  /** True when the last that was heard is a heartbeat, not a probe's answer. */
  #onBeat = true;

  constructor({ path, random, skipRatio, onlyDeaths = false, timing = DEFAULTS }: StreamOptions) {
    this.#path = path;
    this.#random = random;
    this.#skipRatio = skipRatio ?? null;
    this.#timing = timing;
    const enoughMs = timing.suspectAfterMs + (onlyDeaths ? timing.confirmForMs : 0);
    this.#certainLosses = Math.ceil(enoughMs / (timing.intervalMs * (1 + timing.jitterRatio))) - 1;
    this.#site = new Site(1, 0, 0, timing);
    this.#nextBeatMs = this.#interval();
  }

  #interval(): number {
    const { intervalMs, jitterRatio } = this.#timing;
    return intervalMs * (1 + (2 * this.#random.next() - 1) * jitterRatio);
  }

  /**
   * The next long silence, until this many heartbeats have been sent, or a little more. Null when
   * there is none.
   */
  next(untilBeats: number): Silence | null {
    while (this.totals.beats < untilBeats) {
      if (this.#skipRatio !== null && this.#onBeat && !this.#jump(this.#skipRatio, untilBeats)) return null;
      const silence = this.#listen();
      if (silence) return silence;
    }
    return null;
  }

  /**
   * Passes over the silences that cannot matter. False: the time is up before the next that can.
   */
  #jump(p: number, untilBeats: number): boolean {
    const m = this.#certainLosses;
    const passed = Math.floor(Math.log1p(-this.#random.next()) / Math.log1p(-(p ** m)));
    const lost = shortRuns(passed, p, m, this.#random);
    const { totals } = this;
    const share = Math.min(1, (untilBeats - totals.beats) / Math.max(1, passed + lost));
    totals.beats += Math.round((passed + lost) * share);
    totals.received += Math.round(passed * share);
    this.#owed = m;
    return share === 1;
  }

  /**
   * Goes from the last heard to the next heard, when that is soon; otherwise through the detector.
   */
  #listen(): Silence | null {
    const beatsMs: number[] = [];
    const limitMs = this.#heardMs + this.#timing.suspectAfterMs;
    while (this.#nextBeatMs < limitMs) {
      if (this.#beatLost(beatsMs)) continue;
      this.#noteHeard(beatsMs.at(-1) ?? limitMs, true);
      return null;
    }
    return this.#play(beatsMs);
  }

  #beatLost(into: number[]): boolean {
    const beatMs = this.#nextBeatMs;
    this.totals.beats++;
    this.#nextBeatMs += this.#interval();
    into.push(beatMs);
    return this.#owed-- > 0 || this.#path.lost(beatMs);
  }

  #noteHeard(atMs: number, onBeat: boolean): void {
    if (onBeat) this.totals.received++;
    this.#heardMs = atMs;
    this.#onBeat = onBeat;
  }

  /**
   * Plays tick by tick through the production table, with every loss drawn in the order of time,
   * until something is heard.
   */
  #play(beatsMs: number[]): Silence {
    const site = this.#site;
    const heardMs = this.#heardMs;
    const offsetMs = this.#siteMs - heardMs;
    site.nextTickMs = this.#siteMs + this.#random.next() * this.#timing.tickMs;
    let answerMs = Number.POSITIVE_INFINITY;
    let suspected = false;
    let deadMs: number | null = null;
    for (;;) {
      const tickMs = site.nextTickMs - offsetMs;
      const firstMs = Math.min(tickMs, this.#nextBeatMs, answerMs);
      if (firstMs === answerMs || (firstMs !== tickMs && !this.#beatLost(beatsMs))) {
        this.#siteMs = firstMs + offsetMs;
        site.miss(beatsMs.length - (firstMs === answerMs ? 0 : 1));
        site.hear(this.#siteMs);
        this.#noteHeard(firstMs, firstMs !== answerMs);
        return this.#count({ heardMs, beatsMs, endMs: firstMs, suspected, deadMs });
      }
      if (firstMs !== tickMs) continue;
      if (site.tick() > 0 && this.#answered(tickMs)) answerMs = Math.min(answerMs, tickMs + this.#timing.roundTripMs);
      const { verdict } = site;
      if (verdict === 'suspect' || verdict === 'dead') suspected = true;
      if (verdict === 'dead') deadMs ??= tickMs;
      if (verdict === 'unknown') throw new Error('the observer abstains');
    }
  }

  /** True when neither the probe nor its answer is lost. */
  #answered(atMs: number): boolean {
    return !this.#path.lost(atMs) && !this.#path.lost(atMs + this.#timing.roundTripMs / 2);
  }

  #count(silence: Silence): Silence {
    this.totals.episodes++;
    if (silence.suspected) this.totals.suspected++;
    if (silence.deadMs !== null) this.totals.dead++;
    return silence;
  }
}

const EXACT_UP_TO = 64;

/** Sum of `count` draws of K, P(K = k) ∝ p^k, 0 ≤ k < m. */
export function shortRuns(count: number, p: number, m: number, random: Random): number {
  const weights = Array.from({ length: m }, (_, k) => p ** k);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  if (count <= EXACT_UP_TO) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += drawn(weights, random.next() * all);
    return sum;
  }
  const mean = weights.reduce((sum, weight, k) => sum + k * weight, 0) / all;
  const variance = weights.reduce((sum, weight, k) => sum + (k - mean) ** 2 * weight, 0) / all;
  return Math.max(0, Math.round(count * mean + Math.sqrt(count * variance) * normal(random)));
}

/** Index of the weight that `at`, between 0 and their sum, falls on. */
function drawn(weights: readonly number[], at: number): number {
  let reached = 0;
  const index = weights.findIndex((weight) => (reached += weight) > at);
  return index < 0 ? weights.length - 1 : index;
}
