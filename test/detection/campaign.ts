import type { Random } from '@understudy/shared';
import { type Bursts, InBursts, Independent, LongRandom, type LossPath } from './chance.ts';
import { clusterDied } from './cluster.ts';
import { DEFAULTS, type Timing } from './site.ts';
import { Stream, type StreamTotals } from './stream.ts';

export const YEAR_S = 365.25 * 86_400;

export type Loss =
  | { readonly kind: 'independent'; readonly ratio: number }
  | { readonly kind: 'bursts'; readonly bursts: Bursts };

export interface CampaignOptions {
  readonly seed: number;
  readonly agentYears: number;
  readonly loss: Loss;
  readonly timing?: Timing;
  /** Plays every heartbeat, even where the jump could be made. */
  readonly everyHeartbeat?: boolean;
  /**
   * Independent loss only: jumps over everything that cannot become `dead`. Suspicions are not
   * counted then.
   */
  readonly onlyDeaths?: boolean;
}

export interface CampaignResult {
  readonly totals: StreamTotals;
  /** Years of one observer, with heartbeats sent at one a second. */
  readonly observerYears: number;
  /**
   * Times the whole cluster said `dead`. They are looked for in the silences of its first observer,
   * so that none counts twice.
   */
  readonly clusterDead: number;
}

const pathOf = (loss: Loss, random: Random, startMs: number): LossPath =>
  loss.kind === 'independent' ? new Independent(loss.ratio, random) : new InBursts(loss.bursts, random, startMs);

/**
 * Number of beats that are all lost once in a million times, if that often. A burst of that many
 * seconds is rarer still.
 */
const beatsBefore = (loss: Loss): number =>
  loss.kind === 'bursts' ? 24 : Math.max(8, Math.ceil(Math.log(1e-6) / Math.log(loss.ratio)));

/**
 * Agents are alike and independent, so a thousand agents for a year equal one for a thousand years.
 */
export function campaign(options: CampaignOptions): CampaignResult {
  const { seed, loss, timing = DEFAULTS } = options;
  const random = new LongRandom(seed);
  const skip =
    loss.kind === 'independent' && !options.everyHeartbeat
      ? { skipRatio: loss.ratio, onlyDeaths: options.onlyDeaths === true }
      : {};
  const stream = new Stream({ path: pathOf(loss, random, 0), random, timing, ...skip });
  const beats = (options.agentYears * YEAR_S * 1_000) / timing.intervalMs;
  let clusterDead = 0;
  for (let silence = stream.next(beats); silence; silence = stream.next(beats))
    if (clusterDied(silence, (startMs) => pathOf(loss, random, startMs), random, timing, beatsBefore(loss)))
      clusterDead++;
  const { totals } = stream;
  return { totals, observerYears: (totals.beats * timing.intervalMs) / 1_000 / YEAR_S, clusterDead };
}
