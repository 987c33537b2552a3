import { type CampaignResult, type Loss, YEAR_S } from './campaign.ts';
import { expectedClusterRate, expectedRates, probesUntilDecision, upperBound95 } from './rates.ts';
import { DEFAULTS, type Timing } from './site.ts';

export const lossName = (loss: Loss): string => {
  if (loss.kind === 'independent') return `${percent(loss.ratio)} independent`;
  const { goodMs, badMs, goodLoss, badLoss } = loss.bursts;
  const share = badMs / (goodMs + badMs);
  const mean = share * badLoss + (1 - share) * goodLoss;
  return `${percent(mean)} in bursts of ${badMs / 1_000} s (mean; ${percent(badLoss)} lost, ${percent(goodLoss)} between)`;
};

const percent = (ratio: number): string => `${Number((ratio * 100).toPrecision(3))} %`;
const short = (value: number): string =>
  value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value < 1e-3 ? value.toExponential(1) : value.toPrecision(3);

const clusterRate = (ratio: number): number => expectedClusterRate(ratio, DEFAULTS, 3) * YEAR_S;

/**
 * Counts of one campaign, beside what arithmetic expects (independent loss only) and the 95 %
 * limit.
 */
export function campaignText(
  loss: Loss,
  { totals, observerYears, clusterDead }: CampaignResult,
  agentYears: number,
  onlyDeaths = false,
): string {
  const { episodes, suspected, dead, received, beats } = totals;
  const expected = loss.kind === 'independent' ? expectedRates(loss.ratio, DEFAULTS) : null;
  const want = (rate: number | undefined) => (rate === undefined ? '' : `, expected ${short(rate * received)}`);
  const cluster = loss.kind === 'independent' ? `, expected about ${short(clusterRate(loss.ratio) * agentYears)}` : '';
  const perYear = (count: number, of: number) =>
    `${short(count / of)} per year, at most ${short(upperBound95(count) / of)} (95 %)`;
  return [
    `${lossName(loss)}: ${short(agentYears)} agent-years, ${short(observerYears)} observer-years, ${beats.toExponential(3)} heartbeats, ${percent(1 - received / beats)} lost`,
    `  silences ${onlyDeaths ? 'that might become dead' : `of ${DEFAULTS.suspectAfterMs / 1_000} s or more`}, each played: ${episodes}`,
    ...(onlyDeaths
      ? []
      : [`  suspect at one observer: ${suspected}${want(expected?.suspect)} (${perYear(suspected, observerYears)})`]),
    `  dead at one observer:    ${dead}${want(expected?.dead)} (${perYear(dead, observerYears)})`,
    `  dead for the cluster:    ${clusterDead}${cluster} (${perYear(clusterDead, agentYears)})`,
  ].join('\n');
}

/**
 * Single-observer deaths per thousand observer-years, by arithmetic, for other loss and other
 * settings.
 */
export function settingsTable(): string {
  const ratios = [0.05, 0.1, 0.15, 0.2, 0.3];
  const settings: readonly (readonly [suspectAfterMs: number, confirmForMs: number, probes?: number])[] = [
    [5_000, 3_000],
    [5_000, 3_000, 4],
    [5_000, 4_000],
    [5_000, 5_000],
    [6_000, 3_000],
    [8_000, 3_000],
  ];
  const line = ([suspectAfterMs, confirmForMs, given]: (typeof settings)[number]) => {
    const timing: Timing = { ...DEFAULTS, suspectAfterMs, confirmForMs };
    const probes = given ?? probesUntilDecision(timing);
    const rates = ratios.map((p) => expectedRates(p, timing, probes).dead * (1 - p) * YEAR_S * 1_000);
    return `  ${`${suspectAfterMs / 1_000} s + ${confirmForMs / 1_000} s, ${probes} probes`.padEnd(22)}${rates.map((rate) => short(rate).padStart(12)).join('')}`;
  };
  return [
    'false deaths at one observer in 1 000 observer-years, by arithmetic (suspectAfterMs + confirmForMs; independent loss):',
    `  ${''.padEnd(22)}${ratios.map((p) => percent(p).padStart(12)).join('')}`,
    ...settings.map(line),
  ].join('\n');
}
