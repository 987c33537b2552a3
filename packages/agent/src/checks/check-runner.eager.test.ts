import { silentLog } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { expect, it } from 'vitest';
import type { CheckResult } from '../core/check-state.ts';
import { CheckRunner } from './check-runner.ts';

const SCHEDULE = { intervalMs: 5_000, deadlineMs: 2_000, rise: 1, fall: 3 };

async function statusAfter(ms: number, resultAt: (lookedAtMs: number) => CheckResult): Promise<string> {
  const clock = new SimClock();
  const check = { run: async () => resultAt(clock.monotonicMs()) };
  const runner = new CheckRunner({
    name: 'network',
    check,
    schedule: SCHEDULE,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
  });
  runner.start();
  await clock.advance(ms);
  runner.stop();
  return runner.state.status;
}

it('a fresh check that finds its answer after 300 ms passes within a second, not after an interval', async () => {
  const lateFriend = (at: number): CheckResult =>
    at < 300 ? { status: 'fail', code: 'coordinatorsUnreachable' } : { status: 'pass', code: 'none' };
  expect(await statusAfter(1_000, lateFriend)).toBe('pass');
});

it('failing at the eager pace is no verdict yet', async () => {
  const broken = (): CheckResult => ({ status: 'fail', code: 'gatewayUnreachable' });
  expect(await statusAfter(2_000, broken)).toBe('unknown');
  expect(await statusAfter(30_000, broken)).toBe('fail');
});
