import type { HistoryRecord, MemberId } from '@understudy/shared';
import { readStepId } from '../step-id.ts';
import type { Duration } from './duration.ts';

/** What one kind of step took here. */
export interface MeasuredStep extends Duration {
  /** How many were measured. */
  readonly count: number;
}

/** By the name of the step. A step that was not measured often enough is absent. */
export type MeasuredSteps = Readonly<Record<string, MeasuredStep>>;

/** What the recoveries of other members tell of this one rests on at least this many. */
const OTHERS_MIN = 3;

/** Steps that take as long as the member's own disks are large: others tell nothing of them. */
const BY_SIZE: ReadonlySet<string> = new Set(['capture', 'copy']);

type Told = Pick<HistoryRecord, 'member' | 'steps' | 'leaderChanges'>;

/** A change of leader in the middle is no measure of EC2. */
const durationsIn = ({ steps, leaderChanges }: Told, name: string): readonly number[] =>
  leaderChanges > 0
    ? []
    : steps.flatMap(({ step, state, startedAtWallMs, endedAtWallMs }) =>
        readStepId(step).name === name && state === 'done' && endedAtWallMs !== null
          ? [Math.max(0, endedAtWallMs - startedAtWallMs)]
          : [],
      );

function summary(durations: readonly number[]): MeasuredStep {
  const sorted = durations.toSorted((a, b) => a - b);
  const typicalMs = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return { typicalMs, slowMs: sorted.at(-1) ?? 0, count: sorted.length };
}

/**
 * What the steps of this member's recoveries took; where it has had none, what those of the cluster
 * did. Pure.
 */
export function measuredSteps(histories: readonly Told[], member: MemberId): MeasuredSteps {
  const names = new Set(histories.flatMap(({ steps }) => steps.map(({ step }) => readStepId(step).name)));
  const own = histories.filter((one) => one.member === member);
  const found = [...names].flatMap((name): readonly (readonly [string, MeasuredStep])[] => {
    const ownOnes = own.flatMap((one) => durationsIn(one, name));
    if (ownOnes.length > 0) return [[name, summary(ownOnes)]];
    if (BY_SIZE.has(name)) return [];
    const all = histories.flatMap((one) => durationsIn(one, name));
    return all.length >= OTHERS_MIN ? [[name, summary(all)]] : [];
  });
  return Object.fromEntries(found);
}
