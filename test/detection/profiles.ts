import { type DetectionProfile, PROFILE_NAMES } from '@understudy/shared';
import type { ConditionName } from './condition-names.ts';
import { campaign, type Loss, YEAR_S } from './campaign.ts';
import { expectedClusterRate, upperBound95 } from './rates.ts';
import type { SerfFindings } from './serf/run-serf.ts';
import { timingOf } from './site.ts';

const DAY_S = 86_400;
const DAYS_A_YEAR = YEAR_S / DAY_S;
const OBSERVERS = 3;

const inBursts = (badMs: number): Loss => ({
  kind: 'bursts',
  bursts: { badMs, goodMs: 9 * badMs, goodLoss: 0.01, badLoss: 0.91 },
});

/** Under the names that Serf's conditions have as well. */
const CONDITIONS: readonly (readonly [name: ConditionName, loss: Loss])[] = [
  ['1 %', { kind: 'independent', ratio: 0.01 }],
  ['5 %', { kind: 'independent', ratio: 0.05 }],
  ['10 %', { kind: 'independent', ratio: 0.1 }],
  ['bursts of 1 s', inBursts(1_000)],
  ['bursts of 2 s', inBursts(2_000)],
];

interface ProfileRate {
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

function profileRate(
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

/**
 * A rate in events a day of one member, and the 95 % limit above it, the same for every detector.
 * Of nothing counted it is the rule of three.
 */
const perDay = (count: number, days: number): string => {
  const limit = `< ${short(upperBound95(count) / days)}`;
  return count === 0 ? limit : `${short(count / days)} (${limit})`;
};

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function oursLine(one: ProfileRate): string {
  const { profile, condition, agentYears, observerYears, atOne, cluster, clusterExpectedPerYear: expected } = one;
  const byArithmetic = expected === null ? '' : `; ${short(expected / DAYS_A_YEAR)} by arithmetic`;
  const days = agentYears * DAYS_A_YEAR;
  return line([
    `Understudy, ${profile}, simulated`,
    condition,
    `${short(days)}; ${cluster}`,
    `${perDay(cluster, days)}${byArithmetic}`,
    perDay(atOne, observerYears * DAYS_A_YEAR),
  ]);
}

function serfLine({ name, nodeSeconds, falseVerdicts }: SerfFindings['rates'][number]): string {
  const days = nodeSeconds / DAY_S;
  return line(['Serf, lan, real', name, `${short(days)}; ${falseVerdicts}`, perDay(falseVerdicts, days), '']);
}

/** The table of docs/detection.md. */
export function profilesTable(rates: readonly ProfileRate[], serf: SerfFindings | null): string {
  const head = [
    line(['Detector', 'Loss', 'Member-days; counted', 'False verdicts a member and day', 'at one observer alone']),
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
