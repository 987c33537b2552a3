import { SeededRandom } from '@understudy/shared';
import { describe, expect, it, test } from 'vitest';
import { judge, type Point, robustSlope } from '../soak/flatness.ts';
import { MEASURES } from '../soak/measures.ts';
import { growing, Recording, rowsOf } from '../soak/recording.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MIB = 1_048_576;
const RUN_MS = 30 * MINUTE_MS;

/** A sample every 5 s for half an hour. */
const series = (value: (minutes: number, index: number) => number): Point[] =>
  Array.from({ length: RUN_MS / 5_000 }, (_, i) => ({ atMs: i * 5_000, value: value((i * 5_000) / MINUTE_MS, i) }));

const memory = (mib: (minutes: number, index: number) => number) =>
  judge(
    series((minutes, index) => mib(minutes, index) * MIB),
    MEASURES.rssBytes.allowance,
    RUN_MS / 2,
  );

/** ± half of `width`. */
const noise = (seed: number) => {
  const random = new SeededRandom(seed);
  return (width: number) => (random.next() - 0.5) * width;
};

describe('memory that grows is said to grow', () => {
  test.each([1, 2, 3, 4, 5])('a leak of 1 MiB per minute in 150 MiB, under noise of 20 MiB (seed %d)', (seed) => {
    const shake = noise(seed);
    const { verdict, slopePerHour } = memory((minutes) => 150 + minutes + shake(20));
    expect(verdict).toBe('growing');
    expect(slopePerHour / MIB).toBeGreaterThan(40);
    expect(slopePerHour / MIB).toBeLessThan(80);
  });

  it('also as a sawtooth whose floor rises', () => {
    expect(memory((minutes, index) => 150 + minutes + (index % 12) * 3).verdict).toBe('growing');
  });

  it('also in a small process, and also in steps', () => {
    expect(memory((minutes) => 40 + Math.floor(minutes / 3) * 3).verdict).toBe('growing');
  });

  it('one descriptor per ten recoveries, ten recoveries a minute', () => {
    const rising = series((minutes) => 40 + Math.floor(minutes));
    for (const measure of [MEASURES.openFiles, MEASURES.pooledFiles])
      expect(judge(rising, measure.allowance, RUN_MS / 2).verdict).toBe('growing');
  });

  it('one key per recovery that stays', () => {
    const rising = series((minutes, index) => 18 + Math.floor(minutes * 8) + (index % 7));
    expect(judge(rising, MEASURES.history.allowance, RUN_MS / 2).verdict).toBe('growing');
  });
});

describe('what does not grow is said to be flat', () => {
  test.each([1, 2, 3, 4, 5])('noise alone (seed %d)', (seed) => {
    const shake = noise(seed);
    expect(memory(() => 150 + shake(40)).verdict).toBe('flat');
  });

  it('a warm-up that levels off in the first half', () => {
    expect(memory((minutes) => 200 - 100 * Math.exp(-minutes / 3)).verdict).toBe('flat');
  });

  it('a process that was large for a tenth of the time, at the end', () => {
    expect(memory((minutes) => (minutes > 28.5 ? 400 : 150)).verdict).toBe('flat');
  });

  it('what falls', () => {
    expect(memory((minutes) => 200 - minutes * 3).verdict).toBe('flat');
  });
});

it('a series that covers too little is not judged, and neither is one of a few points', () => {
  const rising = series((minutes) => minutes * MIB * 100);
  expect(judge(rising.slice(0, 100), MEASURES.rssBytes.allowance, RUN_MS / 2).verdict).toBe('too short');
  const sparse = rising.filter((_, index) => index % 60 === 0);
  expect(judge(sparse, MEASURES.rssBytes.allowance, RUN_MS / 2).verdict).toBe('too short');
  expect(judge([], MEASURES.rssBytes.allowance, 0).verdict).toBe('too short');
});

it('the slope is that of the line, whatever the outliers', () => {
  const points = series((minutes, index) => minutes * 2 + (index % 5 === 0 ? 1_000 : 0));
  expect(robustSlope(points) * HOUR_MS).toBeCloseTo(120, 0);
});

it('a process that was started again is a series of its own, and the worst series speaks for its kind', () => {
  const recording = new Recording();
  for (const { atMs } of series(() => 0)) {
    const minutes = atMs / MINUTE_MS;
    const half = atMs < RUN_MS / 2 ? 'coordinator-a (1)' : 'coordinator-a (2)';
    recording.add('coordinator', half, 'rssBytes', { atMs, value: (150 + minutes) * MIB });
    recording.add('coordinator', 'coordinator-b (3)', 'rssBytes', { atMs, value: 150 * MIB });
    recording.add('coordinator', 'coordinator-c (4)', 'rssBytes', { atMs, value: (150 + minutes) * MIB });
  }
  const [row] = rowsOf(recording, RUN_MS, RUN_MS / 2);
  expect(row).toMatchObject({
    seriesCount: 4,
    judgedCount: 2,
    worst: { verdict: 'growing', name: 'coordinator-c (4)' },
  });
  expect(growing(rowsOf(recording, RUN_MS, RUN_MS / 2))).toHaveLength(1);
});
