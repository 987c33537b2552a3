import { describe, expect, test } from 'vitest';
import { campaign, type CampaignResult, YEAR_S } from './campaign.ts';
import { Independent, LongRandom } from './chance.ts';
import { clusterVerdict, Ear, listenTogether } from './cluster.ts';
import { expectedClusterRate, expectedRates, irwinHall, probesUntilDecision, upperBound95 } from './rates.ts';
import { DEFAULTS, Site } from './site.ts';
import { shortRuns } from './stream.ts';

/** How far `seen` is from `expected`, in standard deviations of a Poisson count. */
const sigmas = (seen: number, expected: number) => Math.abs(seen - expected) / Math.sqrt(expected);
const years = (beats: number) => beats / YEAR_S;
const independent = (ratio: number) => ({ kind: 'independent', ratio }) as const;

describe('the arithmetic', () => {
  test('Irwin-Hall: known values, and symmetric', () => {
    expect(irwinHall(1, 0.25)).toBeCloseTo(0.25, 12);
    expect(irwinHall(2, 1)).toBeCloseTo(0.5, 12);
    expect(irwinHall(3, 1)).toBeCloseTo(1 / 6, 12);
    for (const x of [1.3, 4, 6.2]) expect(irwinHall(8, x) + irwinHall(8, 8 - x)).toBeCloseTo(1, 12);
  });

  test('six probes are sent before the decision at defaults, and the limits are Poisson’s', () => {
    expect(probesUntilDecision(DEFAULTS)).toBe(6);
    expect(upperBound95(0)).toBe(3);
    expect(upperBound95(3)).toBeCloseTo(7.75, 1);
    expect(upperBound95(10)).toBeCloseTo(16.96, 1);
  });

  test('short runs have the same sum drawn one by one and by their normal limit', () => {
    const mean = (count: number, times: number) => {
      const random = new LongRandom(3);
      let sum = 0;
      for (let i = 0; i < times; i++) sum += shortRuns(count, 0.5, 4, random);
      return sum / times / count;
    };
    // K ∈ 0..3 with weights 8, 4, 2, 1.
    expect(mean(64, 2_000)).toBeCloseTo(11 / 15, 1);
    expect(mean(640, 2_000)).toBeCloseTo(11 / 15, 2);
  });
});

describe('silences of a healthy agent, through the production table and detector', () => {
  test.each([0.4, 0.5, 0.6])(
    'at %f loss the jump and every heartbeat played give the same, and what arithmetic says',
    (ratio) => {
      const beats = { 0.4: 1_500_000, 0.5: 150_000, 0.6: 30_000 }[ratio] ?? 0;
      const options = { seed: 11, agentYears: years(beats), loss: independent(ratio) };
      const expected = expectedRates(ratio, DEFAULTS);
      for (const { totals } of [campaign(options), campaign({ ...options, everyHeartbeat: true })]) {
        expect(totals.dead).toBeGreaterThan(30);
        expect(Math.abs(totals.received / totals.beats - (1 - ratio))).toBeLessThan(0.01);
        expect(sigmas(totals.suspected, expected.suspect * totals.received)).toBeLessThan(5);
        // A silence may also begin with the answer to a probe. The arithmetic leaves that out.
        expect(sigmas(totals.dead, expected.dead * totals.received)).toBeLessThan(6);
      }
    },
  );

  test('8 agent-years at 10 % loss: suspected as often as expected, never dead at any one observer', () => {
    const { totals, observerYears, clusterDead } = campaign({ seed: 1, agentYears: 8, loss: independent(0.1) });
    expect(observerYears).toBeCloseTo(8, 2);
    expect(sigmas(totals.suspected, expectedRates(0.1, DEFAULTS).suspect * totals.received)).toBeLessThan(5);
    expect([totals.dead, clusterDead]).toEqual([0, 0]);
  });

  test.each([
    [0.3, 5],
    [0.1, 5_000],
  ])(
    'at %f loss, jumping over all that cannot become dead, %i agent-years have as many deaths as expected, none for the cluster',
    (ratio, agentYears) => {
      const { totals, clusterDead } = campaign({ seed: 1, agentYears, loss: independent(ratio), onlyDeaths: true });
      expect(totals.episodes).toBeGreaterThan(10_000);
      expect(sigmas(totals.dead, expectedRates(ratio, DEFAULTS).dead * totals.received)).toBeLessThan(5);
      expect(clusterDead).toBe(0);
    },
  );

  test('loss in bursts that last for seconds does make one observer say dead', () => {
    const bursts = { goodMs: 18_000, badMs: 2_000, goodLoss: 0.01, badLoss: 0.91 };
    const { totals } = campaign({ seed: 1, agentYears: 0.01, loss: { kind: 'bursts', bursts } });
    expect(totals.dead).toBeGreaterThan(0);
  });
});

describe('the cluster', () => {
  test('needs all three', () => {
    expect(clusterVerdict(['dead', 'dead', 'dead'], 1_000)).toBe('dead');
    expect(clusterVerdict(['dead', 'dead', 'suspect'], 1_000)).toBe('suspect');
    expect(clusterVerdict(['dead', 'dead', 'alive'], 1_000)).toBe('alive');
    expect(clusterVerdict(['dead', 'dead', 'unknown'], 1_000)).toBe('dead');
  });

  test('at 85 % loss, drawing the other two after the fact gives what playing all three gives', () => {
    const ratio = 0.85;
    const beats = 8_000;
    const after: CampaignResult = campaign({ seed: 5, agentYears: years(beats), loss: independent(ratio) });
    const together = playTogether(ratio, beats);
    expect(after.totals.dead).toBeGreaterThan(200);
    expect(together).toBeGreaterThan(25);
    expect(sigmas(after.clusterDead, together)).toBeLessThan(5 * Math.SQRT2);
    const expected = expectedClusterRate(ratio, DEFAULTS, 3) * beats;
    expect(together / expected).toBeGreaterThan(0.5);
    expect(together / expected).toBeLessThan(2);
  });
});

/**
 * How many of the first observer's deaths the whole cluster shared, with everything played from
 * first to last.
 */
function playTogether(ratio: number, beats: number): number {
  const random = new LongRandom(6);
  const ears = [1, 2, 3].map(
    (nonce) => new Ear(new Site(nonce, 0, random.next() * DEFAULTS.tickMs), new Independent(ratio, random)),
  );
  let count = 0;
  let counted = false;
  function* beatsMs() {
    for (let atMs = 1_000; ; atMs += 900 + random.next() * 200) yield atMs;
  }
  listenTogether(ears, beatsMs(), beats * DEFAULTS.intervalMs, (nowMs) => {
    const verdicts = ears.map(({ site }) => site.verdict);
    if (verdicts[0] !== 'dead') counted = false;
    else if (!counted && clusterVerdict(verdicts, nowMs) === 'dead') {
      counted = true;
      count++;
    }
  });
  return count;
}
