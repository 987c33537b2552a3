import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { RecentRows } from './recent-rows.ts';

const FRESH_MS = 1_000;
const volume = (id: string) => ({ VolumeId: id, Size: 8 });
const byId = (...ids: string[]) => ({ VolumeIds: ids, Filters: [{ Name: 'volume-id', Values: ids }] });

/** Somebody has asked for `vol-1`, and a crawl has seen it and another. */
function setUp() {
  const clock = new SimClock();
  const rows = new RecentRows(clock, FRESH_MS);
  const ask = (input: Record<string, unknown>, action = 'DescribeVolumes') => rows.answer(action, input);
  ask(byId('vol-1'));
  rows.note('DescribeVolumes', [volume('vol-1'), volume('vol-2')], clock.monotonicMs());
  return { clock, rows, ask };
}

describe('rows that crawls saw', () => {
  it('answer who asks for what was asked for before', () => {
    const { ask, rows } = setUp();
    expect(ask(byId('vol-1'))).toEqual({ Volumes: [volume('vol-1')] });
    expect(ask({ Filters: [{ Name: 'volume-id', Values: ['vol-1'] }], MaxResults: 500 })).not.toBe(null);
    expect(rows.answered).toBe(2);
  });

  it('stand within their reservation where they are instances', () => {
    const { rows, clock } = setUp();
    const input = { InstanceIds: ['i-1'] };
    rows.answer('DescribeInstances', input);
    rows.note('DescribeInstances', [{ InstanceId: 'i-1' }], clock.monotonicMs());
    expect(rows.answer('DescribeInstances', input)).toEqual({ Reservations: [{ Instances: [{ InstanceId: 'i-1' }] }] });
  });

  it('do not answer for a thing that nobody had asked for, nor for some of several', () => {
    const { ask, rows } = setUp();
    expect(ask(byId('vol-2'))).toBe(null);
    expect(ask(byId('vol-1', 'vol-3'))).toBe(null);
    expect(rows.answered).toBe(0);
  });

  it.each([
    [
      {
        Filters: [
          { Name: 'volume-id', Values: ['vol-1'] },
          { Name: 'status', Values: ['in-use'] },
        ],
      },
    ],
    [{ VolumeIds: ['vol-1'], Filters: [{ Name: 'volume-id', Values: ['vol-2'] }] }],
    [{ VolumeIds: ['vol-1'], DryRun: true }],
    [{ VolumeIds: ['vol-1'], NextToken: 'x' }],
    [{ VolumeIds: [] }],
    [{}],
  ])('do not answer what asks for anything else: %j', (input) => {
    expect(setUp().ask(input)).toBe(null);
  });

  it('do not answer other actions', () => {
    const { ask } = setUp();
    for (const action of ['DescribeVolumeStatus', 'DeleteVolume', 'RunInstances', 'toString', 'constructor'])
      expect(ask(byId('vol-1'), action)).toBe(null);
  });

  it('are dated by the question, and too old after their time', async () => {
    const { ask, clock, rows } = setUp();
    const askedAtMs = clock.monotonicMs();
    await clock.advance(600);
    rows.note('DescribeVolumes', [volume('vol-1')], askedAtMs);
    await clock.advance(400);
    expect(ask(byId('vol-1'))).not.toBe(null);
    await clock.advance(1);
    expect(ask(byId('vol-1'))).toBe(null);
  });

  it('are forgotten an hour after the last question', async () => {
    const { ask, clock, rows } = setUp();
    await clock.advance(3_600_001);
    rows.forget();
    rows.note('DescribeVolumes', [volume('vol-1')], clock.monotonicMs());
    expect(ask(byId('vol-1'))).toBe(null);
  });
});
