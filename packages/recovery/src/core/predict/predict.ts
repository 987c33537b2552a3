import type { RecoveryPlan } from '@understudy/shared';
import { keysOf, type StepRow } from '../step-table.ts';
import { type Duration, NO_TIME } from './duration.ts';
import type { MeasuredSteps } from './measured.ts';
import { STEP_DURATIONS, UNKNOWN_STEP } from './step-durations.ts';
import { type UndoWindow, undoWindow } from './undo-window.ts';

/** `published`: by figures for EC2. `measured`: by this cluster's own recoveries. */
export type Basis = 'published' | 'measured' | 'unknown';

export interface PredictedStep {
  /** Its id in the first attempt: `fence`, `launch-1`. */
  readonly step: string;
  readonly takes: Duration;
  /** After the beginning of the recovery. */
  readonly endsAfter: Duration;
  readonly basis: Basis;
}

/** What a recovery by a plan will take and cost, if its first attempt gets through. */
export interface Prediction {
  readonly strategy: string;
  /** In the order in which they end. */
  readonly steps: readonly PredictedStep[];
  /** From the beginning until the member may serve again: its downtime after the detection. */
  readonly servesAfter: Duration;
  /** Until the recovery is closed. */
  readonly closedAfter: Duration;
  /** Wall time from which on what was written is lost, by its oldest disk. Null: no write is. */
  readonly losesSinceWallMs: number | null;
  readonly undo: UndoWindow;
}

export interface PredictInput {
  readonly plan: RecoveryPlan;
  /** The steps of its strategy. */
  readonly rows: readonly StepRow[];
  readonly measured?: MeasuredSteps;
}

interface Row {
  readonly id: string;
  readonly needs: readonly string[];
  readonly takes: Duration;
  readonly basis: Basis;
}

/** A good day counts as measured. A bad one is not ruled out by a few good ones. */
function takesOf(name: string, plan: RecoveryPlan, measured: MeasuredSteps): Pick<Row, 'takes' | 'basis'> {
  const published = STEP_DURATIONS[name]?.(plan);
  const seen = measured[name];
  if (seen)
    return {
      basis: 'measured',
      takes: { typicalMs: seen.typicalMs, slowMs: Math.max(seen.slowMs, published?.slowMs ?? 0) },
    };
  return published ? { basis: 'published', takes: published } : { basis: 'unknown', takes: UNKNOWN_STEP };
}

/** Rows that only end a failed attempt have no part in one that gets through. */
const rowsOf = ({ plan, rows, measured = {} }: PredictInput): readonly Row[] =>
  rows
    .filter((row) => row.failedOf === undefined)
    .flatMap((row) =>
      keysOf(row, 1).map(({ id }) => ({ id, needs: row.needs(1), ...takesOf(row.step.name, plan, measured) })),
    );

/** When each step ends, as each waits for what it needs and for nothing else. */
function endsOf(rows: readonly Row[], of: keyof Duration): ReadonlyMap<string, number> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const ends = new Map<string, number>();
  const endOf = (id: string, above: readonly string[]): number => {
    const row = byId.get(id);
    const known = ends.get(id);
    if (known !== undefined || !row || above.includes(id)) return known ?? 0;
    const begins = Math.max(0, ...row.needs.map((need) => endOf(need, [...above, id])));
    ends.set(id, begins + row.takes[of]);
    return begins + row.takes[of];
  };
  for (const { id } of rows) endOf(id, []);
  return ends;
}

/**
 * What a recovery by this plan will take: the longest chain of steps that wait for one another.
 * Paths and rungs are chosen by it, and it is shown before anything is done. Pure.
 */
export function predictRecovery(input: PredictInput): Prediction {
  const { plan } = input;
  const rows = rowsOf(input);
  const [typical, slow] = [endsOf(rows, 'typicalMs'), endsOf(rows, 'slowMs')];
  const endsAfter = (id: string): Duration => ({ typicalMs: typical.get(id) ?? 0, slowMs: slow.get(id) ?? 0 });
  const steps = rows
    .map(({ id, takes, basis }): PredictedStep => ({ step: id, takes, endsAfter: endsAfter(id), basis }))
    .toSorted((a, b) => a.endsAfter.typicalMs - b.endsAfter.typicalMs);
  const closedAfter = steps.at(-1)?.endsAfter ?? NO_TIME;
  const activated = steps.find((one) => one.step === 'activate');
  const older = plan.volumes.flatMap(({ from }) => from?.takenAtWallMs ?? []);
  return {
    strategy: plan.strategy,
    steps,
    servesAfter: activated?.endsAfter ?? closedAfter,
    closedAfter,
    losesSinceWallMs: older.length === 0 ? null : Math.min(...older),
    undo: undoWindow(plan),
  };
}
