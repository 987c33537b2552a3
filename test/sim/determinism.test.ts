import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { generateFaults } from './faults/generate.ts';
import { type RunResult, simulate } from './simulation.ts';

const spec = { seed: 20_261_126, days: 0.01, members: 6, coordinators: 3 };

let first: RunResult;
beforeAll(async () => {
  first = await simulate(spec);
}, 120_000);

describe('one seed', () => {
  test('twice is the same run, to the last line of its trace', async () => {
    const second = await simulate(spec);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.eventCount).toBe(first.eventCount);
    expect(first.outcomes.some((outcome) => outcome.result === 'happened')).toBe(true);
  });

  test('in another process, by the command, is the same run too', async () => {
    const args = ['--seed', spec.seed, '--days', spec.days, '--members', spec.members, '--json'].map(String);
    const command = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'main.ts'),
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [...command, ...args]);
    expect(z.object({ traceHash: z.string() }).parse(JSON.parse(stdout)).traceHash).toBe(first.traceHash);
  });

  test('and its faults written out by hand are the same run too', async () => {
    const listed = await simulate({ ...first.spec, faults: first.faults });
    expect(listed.traceHash).toBe(first.traceHash);
  });

  test('another one is another run', async () => {
    const other = await simulate({ ...spec, seed: spec.seed + 1 });
    expect(other.traceHash).not.toBe(first.traceHash);
  });

  test('gives a list of faults that is a value: the same again, and readable', () => {
    const options = { seed: 7, episode: 3, members: 12, coordinators: 3, lastsMs: 1_000_000 };
    expect(generateFaults(options)).toEqual(generateFaults(options));
    expect(JSON.parse(JSON.stringify(generateFaults(options)))).toEqual(generateFaults(options));
  });
});
