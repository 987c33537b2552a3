import type { OperationError, StepName } from '@understudy/shared';
import type { StepKey } from '../core/recovery/step-table.ts';
import { type Attempt, type Call, driveStep, type Frozen, type Move, type Step } from './effect.ts';
import type { Run } from './run.ts';
import type { RunRig } from './run.fixtures.ts';

export const keyOf = (id: string): StepKey => ({
  name: (id.split('-')[0] ?? '') as StepName,
  id,
  attempt: Number(/-(\d+)$/.exec(id)?.[1] ?? 0),
  allocationId: /^address-(.*)$/.exec(id)?.[1] ?? '',
});

/** The step that tests drive: it has everything a step can have in its record. */
export const ADDRESS = keyOf('address-a1');
export const REQUEST = { allocationId: 'a1', networkInterfaceId: 'eni-1', associationId: null };
export const DONE = { kind: 'done', result: { associationId: 'as-1' } } as const;

/** What the step was asked, in order. */
export interface Asked<N extends StepName> {
  readonly frozen: Frozen<N>;
  readonly last: Attempt | null;
}

type Answer<N extends StepName> = Move<N> | Error | ((asked: Asked<N>) => Move<N>);

/** A step that names these moves, one after the other; the last one again and again. */
export function scripted<N extends StepName>(
  answers: readonly [Answer<N>, ...Answer<N>[]],
  over: Partial<Step<N>> & Pick<Step<N>, 'prepare'>,
): Step<N> & { readonly asked: Asked<N>[] } {
  const asked: Asked<N>[] = [];
  const next = async (frozen: Frozen<N>, last: Attempt | null): Promise<Move<N>> => {
    asked.push({ frozen, last });
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? answers[0];
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer({ frozen, last }) : answer;
  };
  const onTimeout = (): Move<N> => ({ kind: 'hold', reason: 'CloudUnavailable', text: 'it took too long' });
  return { asked, limitMs: 600_000, next, onTimeout, ...over };
}

/** As {@link scripted}, of an address. */
export const addressScript = (
  answers: readonly [Answer<'address'>, ...Answer<'address'>[]],
  over: Partial<Step<'address'>> = {},
) => scripted<'address'>(answers, { prepare: async () => REQUEST, ...over });

/**
 * A call that keeps count, and fails as the test says: `null` = it works; the last outcome again
 * and again.
 */
export function call(name: string, outcomes: readonly (Error | null)[] = [null], over: Partial<Call> = {}) {
  const sends: number[] = [];
  const run: Call['run'] = async (_cloud, _options, send) => {
    sends.push(send);
    const outcome = outcomes[Math.min(sends.length, outcomes.length) - 1] ?? null;
    if (outcome) throw outcome;
  };
  return { name, run, sends, ...over };
}

export const act = (...calls: readonly [Call, ...Call[]]) => ({ kind: 'act', calls, text: 'acting' }) as const;

/** Begins to drive it; the test drives the clock. */
export const begun = (run: Run, step: Step<'address'>): Promise<void> => driveStep(run, ADDRESS, 'address', step);

/** Drives it to its end, however long that takes. */
export const drive = (rig: RunRig, run: Run, step: Step<'address'>, limitMs?: number): Promise<void> =>
  rig.clock.runUntilSettled(begun(run, step), limitMs);

/** What a step is asked with; nothing was sent or noted yet. */
export const frozen = <N extends StepName>(
  request: Frozen<N>['request'],
  over: Partial<Frozen<N>> = {},
): Frozen<N> => ({
  ...{ request, sends: {}, noted: null, elapsedMs: 0, conflict: null },
  ...over,
});

/** What came of an act with one call. */
export const answered = (name: string, error: OperationError | null = null, unknownCount = 0): Attempt => ({
  ...{ outcomes: [{ name, error }], name, error, unknownCount },
});
