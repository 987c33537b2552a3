import { describe, expect, it } from 'vitest';
import type { Configuration } from '../model/configurations.ts';
import { judge, readPanReport } from '../model/pan-report.ts';

const configuration: Configuration = {
  name: 'example',
  model: 'recovery',
  switches: [],
  properties: ['PROPERTY_LAUNCH'],
  expected: 'holds',
  rules: [],
  shows: '',
};

/** As Spin 6.5.2 prints it. */
const complete = `
(Spin Version 6.5.2 -- 6 December 2019)
State-vector 80 byte, depth reached 819, errors: 0
  2459413 states, stored
`;
const failed = (assertion: string): string => `
pan:1: assertion violated ${assertion} (at depth 47)
Warning: Search not completed
State-vector 80 byte, depth reached 47, errors: 1
   314304 states, stored
`;

const judged = (output: string) => judge(configuration, readPanReport(output));

describe('the report of the verifier', () => {
  it('is a proof when everything was seen', () => {
    expect(readPanReport(complete)).toEqual({ states: 2_459_413, errors: 0, violated: null, incomplete: null });
    expect(judged(complete)).toEqual({ kind: 'holds' });
  });

  it('is a counterexample when the property that was meant fails', () => {
    expect(judged(failed('(launchesNotEnded<=1)'))).toEqual({ kind: 'counterexample' });
  });

  it('reads a negated assertion as the property it names', () => {
    const reach: Configuration = { ...configuration, properties: ['REACH_DONE'], expected: 'counterexample' };
    expect(judge(reach, readPanReport(failed(' !(reachedDone)')))).toEqual({ kind: 'counterexample' });
  });

  it.each([
    ['another property', failed('(servingCount<=1)'), 'another assertion failed'],
    ['an array index', failed('- invalid array index'), 'another assertion failed'],
    [
      'a deadlock',
      'pan:1: invalid end state (at depth 3)\ndepth reached 3, errors: 1\n 3 states, stored',
      'no assertion',
    ],
  ])('is nothing when %s fails', (_, output, why) => {
    expect(judged(output)).toEqual({ kind: 'nothing', why: expect.stringContaining(why) });
  });

  it.each([
    ['the depth', `error: max search depth too small\n${complete}`],
    ['the memory', `pan: reached -DMEMLIM bound\n${complete}`],
    ['the time', `${complete}\nSearch not completed: Command failed`],
    ['everything', 'Segmentation fault'],
  ])('is nothing when %s ran out', (_, output) => {
    expect(judged(output).kind).toBe('nothing');
  });
});
