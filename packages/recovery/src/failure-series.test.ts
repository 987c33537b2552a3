import { OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { FailureSeries, seriesText } from './failure-series.ts';

function scene() {
  const clock = new SimClock();
  const log = new RecordingLog();
  const series = new FailureSeries({
    log,
    step: 'capture',
    nowMs: () => clock.monotonicMs(),
    wallMs: () => clock.wallMs(),
  });
  const told = () => log.linesOf('recovery.step.failing').map(({ fields }) => fields['code']);
  return { clock, log, series, told };
}
const failure = (upstreamCode: string, over: object = {}) =>
  new OperationError('CLOUD_REJECTED', 'EC2 says no', {
    upstreamCode,
    action: 'CreateSnapshots',
    httpStatus: 400,
    ...over,
  });

describe('failures that follow each other', () => {
  test('are counted, since the first of them', async () => {
    const { clock, series } = scene();
    const began = { sinceMs: 0, sinceWallMs: clock.wallMs() };
    expect(series.note(failure('VolumeInUse'))).toMatchObject({ count: 1, ...began });
    await clock.advance(5_000);
    const second = series.note(failure('InsufficientVolumeCapacity', { httpStatus: 503 }));
    expect(second).toEqual({
      ...{ action: 'CreateSnapshots', code: 'InsufficientVolumeCapacity', httpStatus: 503, count: 2, ...began },
      ...{ text: 'CLOUD_REJECTED: EC2 says no', refusal: 'capacity' },
    });
    expect(series.current).toEqual(second);
    series.end();
    expect(series.current).toBeNull();
    expect(series.note(failure('VolumeInUse'))).toMatchObject({ count: 1, sinceMs: 5_000 });
  });

  test('without an answer of EC2 have our own code and no more', () => {
    const { series } = scene();
    const bare = new OperationError('CLOUD_UNAVAILABLE', 'x'.repeat(900));
    const noted = series.note(bare);
    expect(noted).toMatchObject({ action: null, code: 'CLOUD_UNAVAILABLE', httpStatus: null });
    expect(noted.text).toHaveLength(500);
  });

  test('are put in words with how EC2 answered, or that it did not', () => {
    const { series } = scene();
    expect(seriesText(series.note(failure('VolumeInUse')))).toBe(
      'CreateSnapshots: VolumeInUse (HTTP 400): CLOUD_REJECTED: EC2 says no',
    );
    expect(seriesText(series.note(new OperationError('CLOUD_UNAVAILABLE', 'gone')))).toBe(
      'a call: CLOUD_UNAVAILABLE (no answer): CLOUD_UNAVAILABLE: gone',
    );
  });

  test('are shown with their count and the time of the next try', () => {
    const { clock, series } = scene();
    expect(series.shown(7)).toBeNull();
    series.note(failure('VolumeInUse'));
    expect(series.shown(7)).toEqual({
      ...{ action: 'CreateSnapshots', code: 'VolumeInUse', httpStatus: 400, text: 'CLOUD_REJECTED: EC2 says no' },
      ...{ count: 1, sinceWallMs: clock.wallMs(), nextTryWallMs: 7 },
    });
  });
});

describe('the log is told', () => {
  test('when they begin and when they change, and not each time', () => {
    const { series, told } = scene();
    for (const code of ['VolumeInUse', 'VolumeInUse', 'IncorrectState', 'IncorrectState']) series.note(failure(code));
    expect(told()).toEqual(['VolumeInUse', 'IncorrectState']);
  });

  test.each([
    ['another call', failure('VolumeInUse', { action: 'DescribeVolumes' })],
    ['another status', failure('VolumeInUse', { httpStatus: 503 })],
  ])('of %s with the same code', (_name, other) => {
    const { series, told } = scene();
    series.note(failure('VolumeInUse'));
    series.note(other);
    expect(told()).toHaveLength(2);
  });

  test('once a minute at most of the same, though it ends and begins again', async () => {
    const { clock, series, told } = scene();
    const again = () => {
      series.note(failure('VolumeInUse'));
      series.end();
    };
    await clock.advance(100_000);
    again();
    await clock.advance(59_999);
    again();
    expect(told()).toHaveLength(1);
    await clock.advance(1);
    again();
    expect(told()).toHaveLength(2);
  });

  test('not again of a series that goes on, however long', async () => {
    const { clock, series, told } = scene();
    series.note(failure('VolumeInUse'));
    await clock.advance(3_600_000);
    series.note(failure('VolumeInUse'));
    expect(told()).toHaveLength(1);
  });

  test('without limit of what EC2 may answer, and without keeping all of it', () => {
    const { series, told } = scene();
    for (let number = 0; number < 50; number += 1) series.note(failure(`Code${number}`));
    series.note(failure('Code0'));
    expect(told(), 'of fifty it still knows the first').toHaveLength(50);
    series.note(failure('Code50'));
    series.note(failure('Code0'));
    expect(told(), 'of more it does not').toHaveLength(52);
  });

  test('that it works again, after two failures or more, and for how long it did not', async () => {
    const { clock, log, series } = scene();
    series.end();
    series.note(failure('VolumeInUse'));
    series.end();
    expect(log.linesOf('recovery.step.works_again')).toEqual([]);
    await clock.advance(1_000);
    series.note(failure('VolumeInUse'));
    await clock.advance(2_000);
    series.note(failure('VolumeInUse'));
    series.end();
    expect(log.linesOf('recovery.step.works_again').map(({ fields }) => fields)).toEqual([
      { step: 'capture', action: 'CreateSnapshots', code: 'VolumeInUse', count: 2, forMs: 2_000 },
    ]);
  });
});
