import { SimClock } from '@understudy/shared/testing';
import { expect, it } from 'vitest';
import { clockCheck } from './clock.ts';

const LIMITS = { maxStepMs: 1_000, warnForMs: 60_000 };
const signal = new AbortController().signal;

/** Looks every 5 s; `stepsMs` are the steps of the wall clock before each look. */
async function looks(stepsMs: readonly number[]): Promise<string[]> {
  const clock = new SimClock();
  const check = clockCheck(clock, LIMITS);
  const seen: string[] = [];
  for (const stepMs of stepsMs) {
    clock.stepWall(stepMs);
    const { status, code, detail } = await check.run(signal);
    seen.push(status === 'pass' ? 'pass' : `${status} ${code}: ${detail}`);
    await clock.advance(5_000);
  }
  return seen;
}

it.each([
  ['forward', 3_600_000, 'warn clockStepped: stepped by 3600000 ms'],
  ['back', -1_001, 'warn clockStepped: stepped by -1001 ms'],
  ['by no more than the limit', 1_000, 'pass'],
])('stepped %s', async (_name, stepMs, expected) => {
  expect(await looks([0, 0, stepMs, 0])).toEqual(['pass', 'pass', expected, expected]);
});

it('slow corrections do not add up to a step', async () => {
  expect(await looks([0, 900, 900, 900, 900])).toEqual(['pass', 'pass', 'pass', 'pass', 'pass']);
});

it('is a warning for a while, with the age of the step, and a second step begins anew', async () => {
  const clock = new SimClock();
  const check = clockCheck(clock, LIMITS);
  await check.run(signal);
  clock.stepWall(5_000);
  const steppedAtMs = clock.monotonicMs();
  await check.run(signal);
  await clock.advance(59_999);
  expect(await check.run(signal)).toMatchObject({ status: 'warn', sinceMs: steppedAtMs });
  clock.stepWall(-5_000);
  expect(await check.run(signal)).toMatchObject({ status: 'warn', sinceMs: steppedAtMs + 59_999 });
  await clock.advance(60_000);
  expect((await check.run(signal)).status).toBe('pass');
});
