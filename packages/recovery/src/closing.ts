import { artefactsOf } from './artefacts-of.ts';
import { type Chore, invariant, isUndo, type MovedItem } from '@understudy/shared';
import { type ChoreFacts, choresOf } from './core/chores.ts';
import type { ClosingFacts } from './core/history.ts';
import { predictRecovery } from './core/predict/predict.ts';
import { readStepId } from './core/step-id.ts';
import { currentAttempt, keysOf } from './core/step-table.ts';
import { undoChoresOf } from './core/undo/undo-chores.ts';
import { volumesOf } from './steps/captured-volumes.ts';
import type { Run } from './run.ts';
import { replacementOf } from './steps/activate.ts';
import { ACTIVATE } from './steps/activate-record.ts';
import { PERMIT } from './steps/attempt-records.ts';
import { FENCE } from './steps/fence-record.ts';
import { disksOutlive, mayBeEnded } from './steps/predecessor-end.ts';
import { isOldStopOpen, openCallsOfReplacement } from './steps/open-calls.ts';

/**
 * The part of a run that closing one needs: also without a run, by whoever closes it for another
 * reason.
 */
export type Closable = Pick<
  Run,
  'record' | 'plan' | 'policy' | 'journal' | 'term' | 'wallMs' | 'strategy' | 'seams' | 'table'
>;

/** Everything that has to be put in place once the replacement is activated. */
export const choresToDo = (run: Closable): readonly Chore[] =>
  isUndo(run.plan) ? undoChoresOf(commonFactsOf(run)) : choresOf(choreFactsOf(run));

const commonFactsOf = (run: Closable) => {
  const { opId, oldInstanceId } = run.record;
  const { retainVolumesForMs } = run.policy.recover;
  return {
    plan: run.plan,
    volumes: volumesOf(run),
    opId,
    oldInstanceId,
    newInstanceId: replacementOf(run),
    volumesRetainedUntil: retainVolumesForMs === null ? null : retainedUntil(run, retainVolumesForMs),
    ...(disksOutlive(run) && { detainedUntil: retainedUntil(run, run.policy.recover.retainForMs) }),
  };
};

export function choreFactsOf(run: Closable): ChoreFacts {
  const attempt = currentAttempt(run.journal.states());
  const permit = run.journal.get(PERMIT, attempt)?.result;
  invariant(permit && 'networkInterfaceId' in permit, `attempt ${attempt} was verified without a permit`);
  return { ...commonFactsOf(run), permitId: permit.networkInterfaceId, putOn: putOnBy(run) };
}

/** Where a launch could not name a disk: which volume was put on for each one of the plan. */
function putOnBy(run: Closable): ReadonlyMap<string, string> {
  const { disks = [] } = run.strategy.launchSources(run, run.seams) ?? {};
  return new Map(
    disks.flatMap(({ volume, source }) =>
      source.kind === 'volume' && source.volumeId !== null ? [[volume.volumeId, source.volumeId] as const] : [],
    ),
  );
}

/** ISO time, by the clock of whoever wrote the intent, so that every leader writes the same. */
export const retainedUntil = (run: Pick<Run, 'record'>, forMs: number): string =>
  new Date(run.record.startedAtWallMs + forMs).toISOString();

/** Every step is done that is done once, except the last one, which closes it. */
function isThrough({ journal, table }: Closable): boolean {
  const states = journal.states();
  return table
    .slice(0, -1)
    .filter((row) => row.step.per === 'recovery' && row.failedOf === undefined)
    .every((row) => keysOf(row, 0).every(({ id }) => states.get(id) === 'done'));
}

/** What its identity moves have put somewhere, by their records. */
const movedBy = ({ journal, seams }: Closable): MovedItem[] =>
  journal.records().flatMap(({ step, state, request, result }) => {
    const { name, item } = readStepId(step);
    const move = seams.identityMoves.find((one) => one.record.name === name);
    const place = state === 'done' ? move?.watch?.placeOf({ request, result }) : null;
    return place ? [{ move: name, item, place }] : [];
  });

/** All the journal says of a recovery whose replacement is activated, for its history. */
export function closingFactsOf(
  run: Closable,
  end: Pick<ClosingFacts, 'owed' | 'heardAtTheEnd' | 'serviceFaultAtTheEnd'>,
): ClosingFacts {
  const fence = run.journal.get(FENCE)?.result;
  const activation = run.journal.get(ACTIVATE)?.result;
  invariant(fence && activation && isThrough(run), 'closing a recovery that is not through');
  return {
    intent: run.record,
    records: run.journal.records(),
    term: run.term.number,
    endedAtWallMs: run.wallMs(),
    newInstanceId: replacementOf(run),
    newIncarnation: activation.incarnation,
    fencedBy: fence.how,
    launchAttempts: isUndo(run.plan) ? 0 : currentAttempt(run.journal.states()),
    artefacts: artefactsOf(run),
    volumes: volumesOf(run),
    predictedMs: predictRecovery({ plan: run.plan, rows: run.table }).closedAfter.typicalMs,
    moved: movedBy(run),
    lateCalls: openCallsOfReplacement(run),
    stopIsOpen: isOldStopOpen(run),
    predecessorEnded: mayBeEnded(run),
    disksOutlive: disksOutlive(run),
    ...end,
  };
}
