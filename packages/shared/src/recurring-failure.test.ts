import { OperationError } from './errors.ts';
import { RecordingLog } from './testing/recording-log.ts';
import { SimClock } from './testing/sim-clock.ts';
import { describe, expect, it } from 'vitest';
import { RecurringFailure } from './recurring-failure.ts';

describe('a failure that goes on', () => {
  it('is logged at once, then once a minute with count and duration, and its end once', async () => {
    const clock = new SimClock();
    const log = new RecordingLog();
    const failure = new RecurringFailure({ clock, log, event: 'x.failed' });
    await clock.advance(7_000);
    for (let second = 0; second < 150; second += 1) {
      failure.failed(new OperationError('STORE_NO_SPACE', 'put'));
      await clock.advance(1_000);
    }
    const said = log.lines.filter((line) => line.event === 'x.failed');
    expect(said.map(({ fields }) => [fields?.failures, fields?.failingForMs])).toEqual([
      [1, 0],
      [61, 60_000],
      [121, 120_000],
    ]);
    expect(said[0]?.fields).toMatchObject({
      code: 'STORE_NO_SPACE',
      remedy: expect.stringContaining('etcdctl alarm disarm'),
    });
    failure.worked();
    failure.worked();
    expect(log.linesOf('x.failed.over').map(({ fields }) => fields)).toEqual([{ failures: 150, failedForMs: 150_000 }]);
    failure.failed(new Error('again'));
    expect(log.lines.filter((line) => line.event === 'x.failed')).toHaveLength(4);
  });

  it.each([
    ['STORE_UNAVAILABLE', undefined, 'warn'],
    ['STORE_OUTCOME_UNKNOWN', undefined, 'warn'],
    ['CAS_CONFLICT', undefined, 'warn'],
    ['LEASE_LOST', undefined, 'warn'],
    ['STORE_REJECTED', 'LEASE_NOT_FOUND', 'warn'],
    ['STORE_REJECTED', undefined, 'error'],
    ['STORE_DENIED', undefined, 'error'],
    ['CLOUD_DENIED', undefined, 'error'],
  ] as const)('of %s (%s) is logged as %s: an error is what trying again cannot cure', (code, upstream, level) => {
    const log = new RecordingLog();
    const failure = new RecurringFailure({ clock: new SimClock(), log, event: 'x.failed' });
    failure.failed(new OperationError(code, 'x', upstream === undefined ? {} : { upstreamCode: upstream }));
    expect(log.lines.map((line) => line.level)).toEqual([level]);
  });

  it('of a bug is an error, and so is all of a series that says so', () => {
    const log = new RecordingLog();
    new RecurringFailure({ clock: new SimClock(), log, event: 'x.failed' }).failed(new Error('not foreseen'));
    const level = 'error';
    const series = new RecurringFailure({ clock: new SimClock(), log, event: 'y.failed', level });
    series.failed(new OperationError('STORE_UNAVAILABLE', 'x'));
    expect(log.lines.map((line) => line.level)).toEqual(['error', 'error']);
  });
});
