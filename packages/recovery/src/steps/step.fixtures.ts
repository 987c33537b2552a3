import type { Cloud, CloudFilters, OperationError } from '@understudy/shared';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import type { RunRig } from '../run.fixtures.ts';
import type { RequestOf, StepRecord } from '../step-record.ts';

/** Asks a step by hand for its next move, as the engine does between two writes of the journal. */
export const asker =
  <R extends StepRecord>(rig: RunRig, step: Step<R>, request: RequestOf<R>) =>
  (last: Attempt | null = null, over: Partial<Frozen<R>> = {}): Promise<Move<R>> =>
    rig.clock.runUntilSettled(
      step.next({ request, sends: {}, noted: null, elapsedMs: 0, conflict: null, ...over }, last),
    );

/** What came of the only call of the act before. */
export const came = (name: string, error: OperationError | null = null, unknownCount = 0): Attempt => ({
  ...{ outcomes: [{ name, error }], name, error, unknownCount },
});

export const callsOf = <R extends StepRecord>(move: Move<R>): readonly Call[] =>
  move.kind === 'act' ? move.calls : [];

/** What a look asks for by this filter: EC2 refuses one without a value. */
export function askedFor(filters: CloudFilters, name: string): readonly string[] {
  const values = filters[name] ?? [];
  if (values.length === 0 || values.some((value) => typeof value !== 'string'))
    throw new Error(`a look without ${name}`);
  return values;
}

/** Some time after a process began: a moment is not a duration. */
export const LATER_MS = 500_000;

/** Makes the calls a step asked for, in order, as the engine would. */
export async function make<R extends StepRecord>(move: Move<R>, cloud: Partial<Cloud>): Promise<void> {
  for (const call of callsOf(move)) await call.run(cloud as Cloud, {}, 1);
}
