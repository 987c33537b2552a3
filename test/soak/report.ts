import { tableText } from '@understudy/cli';
import { durationText } from '@understudy/shared';
import { plot, type SingleLine } from 'simple-ascii-chart';
import type { Audit } from './audit.ts';
import type { Failure } from './failures.ts';
import { type MeasureName, measureOf } from './measures.ts';
import { growing, type Kind, type Recording, type Row } from './recording.ts';

export interface SoakReport {
  /** Short hash, with `+` when the work tree differs from it. Null outside a checkout. */
  readonly commit: string | null;
  readonly startedAt: string;
  readonly runMs: number;
  readonly memberCount: number;
  readonly happened: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly audit: Audit;
  readonly rows: readonly Row[];
  readonly sampleCount: number;
}

export const succeeded = ({ rows, audit }: SoakReport): boolean =>
  growing(rows).length === 0 && audit.violations.length === 0;

const inUnits = (measure: MeasureName, value: number): number => value / measureOf(measure).unitSize;

function shown(measure: MeasureName, value: number): string {
  const number = inUnits(measure, value);
  return Math.abs(number) >= 100 || Number.isInteger(number) ? number.toFixed(0) : number.toFixed(1);
}

const signed = (measure: MeasureName, value: number): string =>
  Math.abs(inUnits(measure, value)) < 0.05 ? '0' : `${value > 0 ? '+' : ''}${shown(measure, value)}`;

function rowText(row: Row): string[] {
  const { label, unit, allowance } = measureOf(row.measure);
  const { worst } = row;
  const judged = worst
    ? [
        signed(row.measure, worst.slopePerHour),
        signed(row.measure, worst.growth),
        shown(row.measure, worst.allowed),
        worst.verdict,
      ]
    : ['', '', '', allowance === null ? 'not judged' : 'too short'];
  return [
    row.kind,
    `${label}${unit === '' ? '' : `, ${unit}`}`,
    shown(row.measure, row.firstThird),
    shown(row.measure, row.lastThird),
    ...judged,
    `${row.judgedCount}/${row.seriesCount}`,
  ];
}

const HEAD = ['kind', 'measure', 'first third', 'last third', 'per hour', 'growth', 'allowed', 'verdict', 'series'];

export const rowsText = (rows: readonly Row[]): string => tableText(HEAD, rows.map(rowText));

interface Chart {
  readonly title: string;
  readonly lines: readonly (readonly [Kind, MeasureName])[];
}

const CHARTS: readonly Chart[] = [
  {
    title: 'Memory (RSS), MiB: the longest-lived process of each kind',
    lines: [
      ['coordinator', 'rssBytes'],
      ['cloud-sim', 'rssBytes'],
      ['etcd', 'storeRssBytes'],
      ['agent', 'rssBytes'],
    ],
  },
  {
    title: 'etcd database, MiB',
    lines: [
      ['etcd', 'databaseBytes'],
      ['etcd', 'databaseUsedBytes'],
    ],
  },
  {
    title: 'File descriptors',
    lines: [
      ['coordinator', 'pooledFiles'],
      ['cloud-sim', 'pooledFiles'],
      ['etcd', 'openFiles'],
      ['agent', 'openFiles'],
    ],
  },
];

const COLORS = ['ansiCyan', 'ansiMagenta', 'ansiYellow', 'ansiGreen'] as const;
const WIDTH = 72;
const HEIGHT = 14;

/**
 * Medians of equal stretches of time, because a terminal has fewer columns than there are samples.
 */
function line(recording: Recording, kind: Kind, measure: MeasureName, runMs: number): SingleLine {
  const points = recording.longest(kind, measure)?.points ?? [];
  const column = (atMs: number) => Math.min(WIDTH - 1, Math.floor((atMs / runMs) * WIDTH));
  return [...Map.groupBy(points, ({ atMs }) => column(atMs))].map(([at, inColumn]) => {
    const sorted = inColumn.map(({ value }) => value).toSorted((a, b) => a - b);
    const middle = inUnits(measure, sorted[sorted.length >> 1] ?? 0);
    return [Math.round(((at + 0.5) / WIDTH) * (runMs / 60_000) * 10) / 10, Math.round(middle * 10) / 10];
  });
}

function chartText({ title, lines }: Chart, recording: Recording, runMs: number): string {
  const drawn = lines
    .map(([kind, measure]) => ({
      name: `${kind}: ${measureOf(measure).label}`,
      points: line(recording, kind, measure, runMs),
    }))
    .filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return `${title}: too few samples`;
  const highest = Math.max(...drawn.flatMap(({ points }) => points.map(([, value]) => value)));
  return plot(
    drawn.map(({ points }) => points),
    {
      title,
      width: WIDTH,
      height: HEIGHT,
      xLabel: `minutes, 0 to ${Math.round(runMs / 6_000) / 10}`,
      // Without this the library marks every point.
      hideXAxisTicks: true,
      // The axis begins at zero, because a line that is cut off below looks steeper than it is.
      yRange: [0, Math.max(1, Math.ceil(highest * 1.1))],
      color: drawn.map((_, index) => COLORS[index % COLORS.length] ?? 'ansiWhite'),
      legend: { position: 'bottom', series: drawn.map(({ name }) => name) },
    },
  );
}

export const chartsText = (recording: Recording, runMs: number): string =>
  CHARTS.map((chart) => chartText(chart, recording, runMs)).join('\n');

function recoveriesText(failures: readonly Failure[]): string {
  const took = failures.flatMap(({ replaced, failedAtWallMs }) =>
    replaced ? [replaced.endedAtWallMs - failedAtWallMs] : [],
  );
  const sorted = took.toSorted((a, b) => a - b);
  const handedOver = failures.filter(({ replaced }) => (replaced?.leaderChanges ?? 0) > 0).length;
  const repeated = failures.filter(({ replaced }) => (replaced?.launchAttempts ?? 1) > 1).length;
  const middle = durationText(sorted[sorted.length >> 1] ?? 0);
  return `${took.length} of ${failures.length} failures replaced, each after ${middle} (median; longest ${durationText(sorted.at(-1) ?? 0)}); ${handedOver} finished under another leader, ${repeated} needed a second launch`;
}

function conclusion(report: SoakReport): string {
  if (!succeeded(report)) return 'Not as promised: see above.';
  const judged = report.rows.some((row) => row.worst !== null);
  const growth = judged ? 'nothing grew' : 'the run was too short to judge growth';
  return `Every failure was replaced exactly once, and ${growth} (${report.sampleCount} samples, commit ${report.commit ?? 'unknown'}).`;
}

/** The whole report for people, plot included. */
export function reportText(report: SoakReport, recording: Recording): string {
  const { audit, happened, rows } = report;
  const { retention } = audit;
  const risen = growing(rows).map(
    ({ kind, measure, worst }) => `growing: ${kind}, ${measureOf(measure).label} (${worst?.name ?? ''})`,
  );
  return [
    chartsText(recording, report.runMs),
    rowsText(rows),
    Object.entries(happened)
      .map(([kind, times]) => `${times} × ${kind}`)
      .join(' · '),
    recoveriesText(report.failures),
    `retention: ${retention.historyTrimmed} history records trimmed (${retention.historyLeft} left), ${retention.instancesTerminated} old instances terminated, ${retention.snapshotsDeleted} snapshots deleted, ${retention.imagesDeregistered} images deregistered`,
    ...risen,
    ...audit.violations.map((text) => `violation: ${text}`),
    conclusion(report),
  ].join('\n\n');
}
