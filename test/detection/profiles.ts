import { DETECTION_PROFILES, type DetectionProfile, PROFILE_NAMES } from '@understudy/shared';
import { campaign, type Loss, YEAR_S } from './campaign.ts';
import { expectedClusterRate, upperBound95 } from './rates.ts';
import type { SerfFindings } from './serf/run-serf.ts';
import { timingOf } from './site.ts';

const HOUR_S = 3_600;
const OBSERVERS = 3;

const inBursts = (badMs: number): Loss => ({
  kind: 'bursts',
  bursts: { badMs, goodMs: 9 * badMs, goodLoss: 0.01, badLoss: 0.91 },
});

/** Under the names that Serf's conditions have as well. */
export const CONDITIONS: readonly (readonly [name: string, loss: Loss])[] = [
  ['1 %', { kind: 'independent', ratio: 0.01 }],
  ['5 %', { kind: 'independent', ratio: 0.05 }],
  ['10 %', { kind: 'independent', ratio: 0.1 }],
  ['bursts of 1 s', inBursts(1_000)],
  ['bursts of 2 s', inBursts(2_000)],
];

export interface ProfileRate {
  readonly profile: DetectionProfile;
  readonly condition: string;
  readonly agentYears: number;
  readonly observerYears: number;
  /** `dead` at one observer, all of them added up. */
  readonly atOne: number;
  /** `dead` for the whole cluster. */
  readonly cluster: number;
  /** Expected for the cluster in a year, by arithmetic. Null: losses are not independent. */
  readonly clusterExpectedPerYear: number | null;
}

/** Years to play, so that each takes about the same time: silences are rare where losses are. */
const yearsOf = (loss: Loss, years: number, burstYears: number): number =>
  loss.kind === 'bursts' ? burstYears : years;

export function profileRate(
  profile: DetectionProfile,
  [condition, loss]: (typeof CONDITIONS)[number],
  given: { readonly years: number; readonly burstYears: number; readonly seed: number },
): ProfileRate {
  const timing = timingOf(profile);
  const agentYears = yearsOf(loss, given.years, given.burstYears);
  const onlyDeaths = loss.kind === 'independent';
  const results = Array.from({ length: OBSERVERS }, (_, index) =>
    campaign({ seed: given.seed * OBSERVERS + index, agentYears, loss, timing, onlyDeaths }),
  );
  const beatsPerYear = (YEAR_S * 1_000) / timing.intervalMs;
  return {
    ...{ profile, condition, agentYears },
    observerYears: results.reduce((sum, one) => sum + one.observerYears, 0),
    atOne: results.reduce((sum, one) => sum + one.totals.dead, 0),
    cluster: results[0]?.clusterDead ?? 0,
    clusterExpectedPerYear:
      loss.kind === 'independent' ? expectedClusterRate(loss.ratio, timing, OBSERVERS) * beatsPerYear : null,
  };
}

const short = (value: number): string =>
  value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value < 1e-3 ? value.toExponential(1) : value.toPrecision(3);

/** A rate in events a year of one member, or its 95 % limit where nothing was counted. */
const perYear = (count: number, years: number): string =>
  count === 0 ? `< ${short(upperBound95(0) / years)}` : short(count / years);

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function oursLine({
  profile,
  condition,
  agentYears,
  observerYears,
  atOne,
  cluster,
  clusterExpectedPerYear,
}: ProfileRate) {
  const expected = clusterExpectedPerYear === null ? '' : ` (${short(clusterExpectedPerYear)} by arithmetic)`;
  return line([
    `Understudy, ${profile}`,
    condition,
    `${short(agentYears)} years`,
    `${perYear(cluster, agentYears)}${expected}`,
    perYear(atOne, observerYears),
  ]);
}

function serfLine({ name, nodeSeconds, falseVerdicts }: SerfFindings['rates'][number]): string {
  const years = nodeSeconds / YEAR_S;
  return line([
    'Serf, lan',
    name,
    `${(nodeSeconds / HOUR_S).toPrecision(3)} hours, ${falseVerdicts} counted`,
    perYear(falseVerdicts, years),
    '',
  ]);
}

/** The table of docs/detection.md. */
export function profilesTable(rates: readonly ProfileRate[], serf: SerfFindings | null): string {
  const head = [
    line(['Detector', 'Loss', 'Watched', 'False verdicts a member and year', 'at one observer alone']),
    line(['---', '---', '---', '---', '---']),
  ];
  const all = [...head, ...rates.map(oursLine), ...(serf?.rates.map(serfLine) ?? [])];
  if (!serf) return all.join('\n');
  const median = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const first = serf.crashes.map((one) => one.firstMs);
  const every = serf.crashes.map((one) => one.allMs);
  const crash = `Serf, crash to failed: ${seconds(median(first))} at the first node (median; longest ${seconds(Math.max(...first))}), ${seconds(median(every))} at all (longest ${seconds(Math.max(...every))}); ${serf.crashes.length} crashes`;
  return [...all, '', serf.version, crash].join('\n');
}

/** What a profile costs: heartbeats a member and second, all coordinators together. */
export const heartbeatsPerSecond = (profile: DetectionProfile): number =>
  (OBSERVERS * 1_000) / DETECTION_PROFILES[profile].heartbeatIntervalMs;

export const allProfileRates = (
  given: Parameters<typeof profileRate>[2],
  note: (text: string) => void,
): ProfileRate[] =>
  PROFILE_NAMES.flatMap((profile) =>
    CONDITIONS.map((condition) => {
      note(`${profile}, ${condition[0]}`);
      return profileRate(profile, condition, given);
    }),
  );
