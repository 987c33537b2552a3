import { describe, expect, it } from 'vitest';
import {
  type ConfirmRow,
  isOpen,
  judgeSilence,
  newConfirmation,
  newSuspicion,
  phiOf,
  probeIntervalMs,
  type SilenceInput,
  type Suspicion,
} from './silence.ts';
import { at } from './observe.fixtures.ts';

const SUSPECTED_AT_MS = 100_000;
const SECOND_PROBE_AT_MS = SUSPECTED_AT_MS + 500;

/** Suspected at 100 s, both UDP probes out half a second later; the service probes ended so. */
const suspicion = (...results: readonly ConfirmRow['result'][]): Suspicion => ({
  ...newSuspicion(at(SUSPECTED_AT_MS), 0),
  udpSent: 2,
  secondUdpAtMs: SECOND_PROBE_AT_MS,
  confirm: results.map((result) => ({ nextAtMs: 0, underWay: false, result })),
});

/** Silent since 5 s before it was suspected; `afterMs`: how long ago that is. */
const silence = (afterMs: number, change: Partial<SilenceInput> = {}): SilenceInput => ({
  nowMs: SUSPECTED_AT_MS + afterMs,
  silentMs: 5_000 + afterMs,
  suspectAfterMs: 5_000,
  confirmForMs: 3_000,
  graceMs: 0,
  probeTimeoutMs: 500,
  answeredHoldMs: 0,
  suspicion: suspicion(),
  ...change,
});
const said = (input: SilenceInput): string => {
  const { verdict, reason, lookAgainInMs } = judgeSilence(input);
  return `${verdict} ${reason} ${lookAgainInMs}`;
};
const never = Number.POSITIVE_INFINITY;
const unsent: Suspicion = { ...suspicion(), udpSent: 1, secondUdpAtMs: never };
const sentAt = (afterMs: number): Suspicion => ({ ...suspicion(), secondUdpAtMs: SUSPECTED_AT_MS + afterMs });

describe('silence of one that was heard before', () => {
  it.each<[string, SilenceInput, string]>([
    ['a millisecond short of the suspicion time', silence(-1, { suspicion: null }), 'alive Heard 1'],
    ['as long as the suspicion time', silence(0, { suspicion: null }), 'suspect Silent 3000'],
    ['after a goodbye', silence(0, { suspicion: null, graceMs: 60_000 }), 'suspect Goodbye 63000'],
    ['suspected for a second', silence(1_000), 'suspect Silent 2000'],
    ['a millisecond short of the confirmation time', silence(2_999), 'suspect Silent 1'],
    ['as long as the confirmation time', silence(3_000), `dead ProbesFailed ${never}`],
    ['as long, after a goodbye', silence(3_000, { graceMs: 60_000 }), 'suspect Goodbye 60000'],
    ['the grace over too', silence(63_000, { graceMs: 60_000 }), `dead ProbesFailed ${never}`],
    ['its second probe never sent', silence(3_600_000, { suspicion: unsent }), 'suspect Silent 0'],
    [
      'its second probe out for a moment less than it has',
      silence(3_499, { suspicion: sentAt(3_000) }),
      'suspect Silent 0',
    ],
    [
      'its second probe out as long as it has',
      silence(3_500, { suspicion: sentAt(3_000) }),
      `dead ProbesFailed ${never}`,
    ],
  ])('%s', (_, input, want) => expect(said(input)).toBe(want));

  it('a probe has a quarter of a short confirmation time to be answered', () => {
    const short = { confirmForMs: 1_000, suspicion: sentAt(1_000) };
    expect(said(silence(1_249, short))).toBe('suspect Silent 0');
    expect(said(silence(1_250, short))).toBe(`dead ProbesFailed ${never}`);
  });
});

describe('service probes of a silent host', () => {
  const judged = (overMs: number, results: readonly ConfirmRow['result'][], answeredHoldMs = 10_000) =>
    said(silence(3_000 + overMs, { suspicion: suspicion(...results), answeredHoldMs }));

  it('that all failed make it dead', () => {
    expect(judged(0, ['failed', 'failed'])).toBe(`dead ProbesFailed ${never}`);
  });

  it('one answered delays that for the hold time, and no longer', () => {
    expect(judged(9_999, ['failed', 'answered'])).toBe('suspect ProbeAnswered 0');
    expect(judged(10_000, ['failed', 'answered'])).toBe(`dead AnsweredTooLong ${never}`);
    expect(judged(0, ['answered'], 0)).toBe(`dead AnsweredTooLong ${never}`);
  });

  it('one that was never carried out delays it for 15 s, then there is no verdict', () => {
    expect(judged(14_999, ['failed', 'wanted'])).toBe('suspect Silent 0');
    expect(judged(15_000, ['failed', 'wanted'])).toBe('unknown ProbeNotSent 0');
    expect(judged(15_000, ['answered', 'wanted'])).toBe('unknown ProbeNotSent 0');
  });
});

describe('a new suspicion', () => {
  it('probes at once, and is open until it is dead', () => {
    const made = newSuspicion(at(7_000), 2);
    expect(made).toMatchObject({ sinceMs: 7_000, nextProbeAtMs: 7_000, udpSent: 0 });
    expect(isOpen(made)).toBe(true);
    expect(isOpen({ ...made, deadSinceMs: 8_000 })).toBe(false);
  });

  it('has one row per service probe, due at once, not carried out', () => {
    expect(newConfirmation(7_000, 2)).toEqual([
      { nextAtMs: 7_000, underWay: false, result: 'wanted' },
      { nextAtMs: 7_000, underWay: false, result: 'wanted' },
    ]);
    expect(newConfirmation(7_000, 0)).toEqual([]);
  });
});

it('six probes fit into the confirmation time, at least 50 ms and at most a second apart', () => {
  expect([3_000, 60_000, 6_000, 100, 360].map(probeIntervalMs)).toEqual([500, 1_000, 1_000, 50, 60]);
});

describe('φ', () => {
  const MEAN_MS = 1_000;
  const SIGMA_MS = 200;
  /** Tail of the normal distribution so many deviations above the mean. */
  it.each([
    [-2, 0.97725],
    [-1, 0.841345],
    [0, 0.5],
    [1, 0.158655],
    [2, 0.02275],
  ])('%i deviations from the mean it is about -log10 %f, as for normal arrivals', (deviations, tail) => {
    expect(phiOf(MEAN_MS + deviations * SIGMA_MS, MEAN_MS, SIGMA_MS)).toBeCloseTo(-Math.log10(tail), 2);
  });

  it('is 0 where no interval is known', () => {
    expect(phiOf(60_000, 0, 0)).toBe(0);
    expect(phiOf(60_000, Number.NaN, 0)).toBe(0);
  });

  it('is told apart far out, where a probability that is taken from 1 would be rounded to 0', () => {
    const far = phiOf(MEAN_MS + 10 * SIGMA_MS, MEAN_MS, SIGMA_MS);
    expect(far).toBeGreaterThan(30);
    expect(far).toBeLessThan(50);
    expect(phiOf(0, 5_000, 100)).toBeCloseTo(0, 9);
  });

  it('takes no agent for more regular than 100 ms', () => {
    expect(phiOf(1_150, MEAN_MS, 1)).toBe(phiOf(1_150, MEAN_MS, 100));
    expect(phiOf(1_150, MEAN_MS, 101)).toBeLessThan(phiOf(1_150, MEAN_MS, 100));
  });

  it('is 300 at most, however long the silence', () => {
    expect(phiOf(MEAN_MS + 20 * SIGMA_MS, MEAN_MS, SIGMA_MS)).toBeLessThan(300);
    for (const deviations of [21.1, 21.5, 22, 1_000])
      expect(phiOf(MEAN_MS + deviations * SIGMA_MS, MEAN_MS, SIGMA_MS)).toBe(300);
  });
});
