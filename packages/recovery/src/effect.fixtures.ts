import { readStepId } from './core/step-id.ts';
import { type Attempt, type Call, driveStep, type Frozen, type Move, type Step } from './effect.ts';
import type { Run } from './run.ts';
import type { RunRig } from './run.fixtures.ts';
import type { StepRecord } from './step-record.ts';
import { ADDRESS } from './identity/elastic-ip.ts';

/** The step that tests drive: it has everything a step can have in its record. */
export const A1 = readStepId('address-a1');
export const REQUEST = { allocationId: 'a1', networkInterfaceId: 'eni-1', associationId: null };
export const DONE = { kind: 'done', result: { associationId: 'as-1' } } as const;

/** What the step was asked, in order. */
export interface Asked<R extends StepRecord> {
  readonly frozen: Frozen<R>;
  readonly last: Attempt | null;
}

type Answer<R extends StepRecord> = Move<R> | Error | ((asked: Asked<R>) => Move<R>);

/** A step that names these moves, one after the other; the last one again and again. */
export function scripted<R extends StepRecord>(
  answers: readonly [Answer<R>, ...Answer<R>[]],
  over: Partial<Step<R>> & Pick<Step<R>, 'prepare'>,
): Step<R> & { readonly asked: Asked<R>[] } {
  const asked: Asked<R>[] = [];
  const next = async (frozen: Frozen<R>, last: Attempt | null): Promise<Move<R>> => {
    asked.push({ frozen, last });
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? answers[0];
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer({ frozen, last }) : answer;
  };
  const onTimeout = (): Move<R> => ({ kind: 'hold', reason: 'CloudUnavailable', text: 'it took too long' });
  return { asked, limitMs: 600_000, next, onTimeout, ...over };
}

/** As {@link scripted}, of an address. */
export const addressScript = (
  answers: readonly [Answer<typeof ADDRESS>, ...Answer<typeof ADDRESS>[]],
  over: Partial<Step<typeof ADDRESS>> = {},
) => scripted<typeof ADDRESS>(answers, { prepare: async () => REQUEST, ...over });

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
export const begun = (run: Run, step: Step<typeof ADDRESS>): Promise<void> => driveStep(run, A1, ADDRESS, step);

/** Drives it to its end, however long that takes. */
export const drive = (rig: RunRig, run: Run, step: Step<typeof ADDRESS>, limitMs?: number): Promise<void> =>
  rig.clock.runUntilSettled(begun(run, step), limitMs);
