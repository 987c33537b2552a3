import type { SeededRandom } from '@understudy/shared/testing';
import { between } from '../cluster/random-streams.ts';

type Draw = (random: SeededRandom) => number;

const ms =
  (from: number, to: number): Draw =>
  (random) =>
    between(random, from, to);

/** 0.5, about 1, 2 and 10 times a lease of 10 s, and, rarely, most of an hour. */
export const PAUSE_MS: Draw = (random) => {
  const kind = random.next();
  if (kind < 0.25) return between(random, 800, 5_000);
  if (kind < 0.5) return between(random, 8_000, 12_000);
  if (kind < 0.8) return between(random, 18_000, 30_000);
  if (kind < 0.97) return between(random, 90_000, 120_000);
  return 2_400_000;
};

export const BRIEF_MS = ms(1_000, 15_000);
export const LONG_MS = ms(10_000, 180_000);
export const OUTAGE_MS = ms(60_000, 420_000);
