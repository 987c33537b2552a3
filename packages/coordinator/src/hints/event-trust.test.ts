import { monotonicMs } from '@understudy/shared';
import { beforeEach, expect, test } from 'vitest';
import { EventTrust } from './event-trust.ts';

let trust: EventTrust;
beforeEach(() => {
  trust = new EventTrust();
  trust.queueAnswered();
});
const at = monotonicMs;
const codes = (nowMs: number) => trust.problems(at(nowMs)).map((one) => one.code);

test('before the queue has answered nothing is relied on', () => {
  const fresh = new EventTrust();
  expect(fresh.isRelied(at(0))).toBe(false);
  fresh.queueAnswered();
  expect(fresh.isRelied(at(0))).toBe(true);
  fresh.clear();
  expect(fresh.isRelied(at(0))).toBe(false);
});

test('a silent queue proves nothing: without a change it is relied on', () => {
  expect([trust.isRelied(at(86_400_000)), codes(86_400_000)]).toEqual([true, []]);
});

test('a change that is told, before or after it was seen, is as it should be', () => {
  trust.told('i-1', 'stopped', at(0));
  trust.changed('i-1', 'stopped', at(30_000));
  trust.changed('i-2', 'stopped', at(30_000));
  trust.told('i-2', 'stopped', at(80_000));
  expect([trust.isRelied(at(200_000)), codes(200_000)]).toEqual([true, []]);
});

test.each([
  ['nothing', () => undefined],
  ['another state of it', () => trust.told('i-1', 'stopping', at(10_000))],
  ['that state of another', () => trust.told('i-2', 'stopped', at(10_000))],
])('a change of which %s is told within a minute is a problem', (_, tell) => {
  trust.changed('i-1', 'stopped', at(0));
  tell();
  expect(trust.isRelied(at(59_999))).toBe(true);
  expect([trust.isRelied(at(60_000)), codes(60_000)]).toEqual([false, ['EVENTS_MISSING']]);
});

test('events are relied on again by one that tells what was seen, not by any', () => {
  trust.changed('i-1', 'stopped', at(0));
  expect(trust.isRelied(at(60_000))).toBe(false);
  trust.told('i-9', 'running', at(61_000));
  expect(trust.isRelied(at(61_000))).toBe(false);
  trust.changed('i-9', 'running', at(62_000));
  expect(trust.isRelied(at(62_000))).toBe(true);
});

test('a queue that fails is a problem with its reason, until it answers', () => {
  trust.queueFailed('CLOUD_DENIED');
  expect([trust.isRelied(at(0)), trust.problems(at(0))[0]?.text]).toEqual([
    false,
    'the queue of events cannot be read: CLOUD_DENIED',
  ]);
  trust.queueAnswered();
  expect([trust.isRelied(at(0)), codes(0)]).toEqual([true, []]);
});

test('while the queue fails, changes are not expected to be told', () => {
  trust.queueFailed('x');
  trust.changed('i-1', 'stopped', at(0));
  trust.queueAnswered();
  expect(codes(120_000)).toEqual([]);
});

test('a message that was in the queue for a minute: nothing is relied on for five minutes', () => {
  trust.aged(59_999, at(0));
  expect(trust.isRelied(at(0))).toBe(true);
  trust.aged(60_000, at(0));
  expect([trust.isRelied(at(299_999)), codes(299_999)]).toEqual([false, ['EVENTS_LATE']]);
  expect([trust.isRelied(at(300_000)), codes(300_000)]).toEqual([true, []]);
});
