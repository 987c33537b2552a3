import { describe, expect, test } from 'vitest';
import { faultCasesOf } from './fault-cases.ts';
import { runMatrix, undisturbedCalls } from './fault-matrix.ts';
import { FAULT_SUBJECTS } from './fault-subjects.ts';

describe.each(FAULT_SUBJECTS)('$name, whatever befalls any of its calls', (subject) => {
  test('ends in one replacement, in a mend, or in a hold that says why', { timeout: 1_200_000 }, async () => {
    const cases = faultCasesOf(await undisturbedCalls(subject));
    const ends = await runMatrix(subject, cases);
    console.log(`faults of any call, ${subject.name}: ${cases.length} cases, ${JSON.stringify([...ends])}`);
    expect(cases.length).toBeGreaterThan(20);
  });
});
