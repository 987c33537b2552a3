import { REGISTERED } from '@understudy/recovery/testing';
import { describe, expect, test } from 'vitest';
import { type FaultCase, faultCasesOf, illOf, sampleOf, STRUCK_BY_ALL } from './fault-cases.ts';
import { pathsOf, runCase, runMatrix, staged, undisturbedCalls } from './fault-matrix.ts';
import { FAULT_SUBJECTS } from './fault-subjects.ts';

const wordsOf = (cases: readonly FaultCase[], wordOf: (one: FaultCase) => string): readonly string[] =>
  [...new Set(cases.map(wordOf))].sort();
const actionOf = ({ fault }: FaultCase): string => fault.action;
const isOfLaunch = ({ fault }: FaultCase): boolean => fault.action === STRUCK_BY_ALL;

/** Each action, each ill, and each ill of a launch; `fault-matrix-all.test.ts` has every pair. */
describe.each(FAULT_SUBJECTS)('$name, whatever befalls one of its calls', (subject) => {
  test('ends in one replacement, in a mend, or in a hold that says why', { timeout: 240_000 }, async () => {
    const all = faultCasesOf(await undisturbedCalls(subject));
    const cases = sampleOf(all);
    expect(wordsOf(cases, actionOf), 'every action').toEqual(wordsOf(all, actionOf));
    expect(wordsOf(cases, illOf), 'every ill').toEqual(wordsOf(all, illOf));
    expect(wordsOf(cases.filter(isOfLaunch), illOf), 'of a launch').toEqual(wordsOf(all.filter(isOfLaunch), illOf));
    const ends = await runMatrix(subject, cases);
    console.log(`faults of one call, ${subject.name}: ${cases.length} cases, ${JSON.stringify([...ends])}`);
  });
});

test('a case whose fault did not happen fails', { timeout: 60_000 }, async () => {
  const [subject] = FAULT_SUBJECTS;
  const never = {
    name: 'never',
    fault: { id: 'ill', action: 'RunInstances', kind: 'throttle', afterCalls: 99 },
  } as const;
  const run = subject ? runCase(subject, never) : Promise.resolve();
  await expect(run).rejects.toThrow(/the fault did not happen/);
});

test('every strategy, path and move that is registered is among them', { timeout: 60_000 }, async () => {
  const strategies = new Set<string>();
  const paths = new Set<string>();
  const moves = new Set<string>();
  // What is prepared for has no recovery yet.
  for (const subject of FAULT_SUBJECTS.filter((one) => one.prepares === undefined)) {
    const { plan } = (await staged(subject)).scene.intent().record;
    strategies.add(plan.strategy);
    for (const path of pathsOf(plan)) paths.add(path);
    for (const move of REGISTERED.identityMoves) if (move.itemsOf(plan).length > 0) moves.add(move.record.name);
  }
  expect(REGISTERED.strategies.map(({ name }) => name).filter((name) => !strategies.has(name))).toEqual([]);
  expect(REGISTERED.volumePaths.map(({ name }) => name).filter((name) => !paths.has(name))).toEqual([]);
  expect(REGISTERED.identityMoves.map(({ record }) => record.name).filter((name) => !moves.has(name))).toEqual([]);
});
