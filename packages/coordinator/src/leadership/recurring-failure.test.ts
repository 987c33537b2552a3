import { OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { RecurringFailure } from './recurring-failure.ts';

describe('a failure that goes on', () => {
  it('is logged at once, then once a minute with count and duration, and its end once', async () => {
    const clock = new SimClock();
    const log = new RecordingLog();
    const failure = new RecurringFailure({ clock, log, event: 'x.failed' });
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
    expect(log.lines.filter((line) => line.event === 'x.failed.over')).toHaveLength(1);
    failure.failed(new Error('again'));
    expect(log.lines.filter((line) => line.event === 'x.failed')).toHaveLength(4);
  });
});
