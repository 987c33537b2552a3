import { describe, expect, test } from 'vitest';
import { Coverage } from './faults/coverage.ts';
import type { Fault } from './faults/fault.ts';
import { shrink } from './shrink.ts';
import type { RunResult, RunSpec } from './simulation.ts';

const fault = (id: string): Fault => ({ id, kind: 'guest-crash', when: { atMs: 0 }, forMs: 0, member: 'm1' });
const everything: Fault[] = Array.from({ length: 40 }, (_, index) => fault(`f${index}`));
const spec: RunSpec = { seed: 1, days: 0.1, members: 12, coordinators: 3 };

/**
 * A run that breaks I1 exactly when all of `needed` are in the list and there are enough members.
 */
function runner(needed: readonly string[], membersMin: number) {
  return (one: RunSpec): Promise<RunResult> => {
    const faults = one.faults ?? [everything];
    const ids = new Set(faults.flat().map((each) => each.id));
    const broken = needed.every((id) => ids.has(id)) && one.members >= membersMin;
    return Promise.resolve({
      spec: one,
      violations: broken ? [{ invariant: 'I1', atMs: 1, text: 'two' }] : [],
      traceHash: '',
      lastLines: [],
      outcomes: [],
      coverage: new Coverage(),
      tally: null as never,
      looks: {},
      enrolment: {},
      simulatedMs: 3_600_000,
      eventCount: 0,
      faults,
    });
  };
}

describe('shrinking a run that broke something', () => {
  test('leaves the faults it takes, and no other', async () => {
    const run = runner(['f3', 'f17', 'f39'], 1);
    const { result } = await shrink(await run(spec), 'I1', { runsMax: 500, run });
    expect(result.faults.flat().map((one) => one.id)).toEqual(['f3', 'f17', 'f39']);
  });

  test('leaves as few members as it takes', async () => {
    const run = runner(['f3'], 3);
    const { result } = await shrink(await run(spec), 'I1', { runsMax: 500, run });
    expect(result.spec.members).toBe(3);
  });

  test('ends after the runs it was given, with the smallest so far', async () => {
    const run = runner(['f3', 'f17', 'f39'], 1);
    const { result, runs } = await shrink(await run(spec), 'I1', { runsMax: 6, run });
    expect(runs).toBeLessThanOrEqual(6);
    expect(result.faults.flat().length).toBeLessThanOrEqual(40);
    expect(result.faults.flat().map((one) => one.id)).toEqual(expect.arrayContaining(['f3', 'f17', 'f39']));
  });

  test('keeps the time the violation takes, not the time that was asked for', async () => {
    const run = runner(['f3'], 1);
    const { result } = await shrink(await run(spec), 'I1', { runsMax: 500, run });
    expect(result.spec.days).toBeCloseTo(0.042, 3);
  });
});
