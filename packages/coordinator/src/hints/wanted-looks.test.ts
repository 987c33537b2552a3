import { monotonicMs } from '@understudy/shared';
import { beforeEach, expect, test } from 'vitest';
import { MESSAGES_MAX, WantedLooks } from './wanted-looks.ts';

let wanted: WantedLooks;
beforeEach(() => {
  wanted = new WantedLooks();
});
const at = monotonicMs;
const look = (instanceId: string, az = 'a', wantsStatus = false) => ({
  instanceId,
  member: 'db/one' as const,
  az,
  wantsStatus,
});
const message = (messageId: string) => ({ messageId, receiptHandle: `handle of ${messageId}` });
const taken = (nowMs: number) =>
  wanted.take(at(nowMs)).map(({ az, looks }) => [az, looks.map((one) => one.instanceId)]);

test('instances of a zone are looked at together, each once, those of another zone by another call', () => {
  wanted.add(message('m1'), [look('i-1'), look('i-2', 'b')], at(0));
  wanted.add(message('m2'), [look('i-1'), look('i-3')], at(0));
  expect(taken(0)).toEqual([
    ['a', ['i-1', 'i-3']],
    ['b', ['i-2']],
  ]);
  expect(taken(0)).toEqual([]);
});

test('a message is done with when each of its instances was looked at', () => {
  wanted.add(message('m1'), [look('i-1'), look('i-2', 'b')], at(0));
  expect(wanted.looked(['i-1'], at(1))).toEqual([]);
  expect(wanted.looked(['i-2'], at(1))).toEqual(['handle of m1']);
  expect(wanted.size).toBe(0);
});

test('a look that began before a message was received is not the one it asked for', () => {
  wanted.add(message('m1'), [look('i-1')], at(0));
  wanted.take(at(0));
  wanted.add(message('m2'), [look('i-1')], at(10));
  expect(wanted.looked(['i-1'], at(0))).toEqual(['handle of m1']);
  expect(taken(10)).toEqual([['a', ['i-1']]]);
  expect(wanted.looked(['i-1'], at(10))).toEqual(['handle of m2']);
});

test('where a look failed, the messages that asked for it are left to come again', () => {
  wanted.add(message('m1'), [look('i-1'), look('i-2')], at(0));
  wanted.add(message('m2'), [look('i-2')], at(0));
  wanted.failed(['i-1']);
  expect(wanted.looked(['i-1', 'i-2'], at(1))).toEqual(['handle of m2']);
});

test('a burst of ten calls, then one a second, whatever comes', () => {
  let calls = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 50) {
    wanted.add(message('m'), [look('i-1')], at(nowMs));
    calls += wanted.take(at(nowMs)).length;
  }
  expect(calls).toBe(69);
});

test('a look at status checks is a call more', () => {
  let calls = 0;
  for (let nth = 0; nth < 20; nth += 1) {
    wanted.add(message('m'), [look('i-1', 'a', true)], at(0));
    calls += wanted.take(at(0)).length;
  }
  expect(calls).toBe(5);
});

test('a hundred ids go into one call; the others wait for the next', () => {
  wanted.add(
    message('m'),
    Array.from({ length: 150 }, (_, nth) => look(`i-${nth}`)),
    at(0),
  );
  expect(wanted.take(at(0))[0]?.looks).toHaveLength(100);
  expect(wanted.take(at(0))[0]?.looks).toHaveLength(50);
});

test('of messages that wait, so many are kept', () => {
  for (let nth = 0; nth < MESSAGES_MAX; nth += 1) {
    expect(wanted.isFull).toBe(false);
    wanted.add(message(`m${nth}`), [look('i-1')], at(0));
  }
  expect(wanted.isFull).toBe(true);
  wanted.clear();
  expect([wanted.isFull, wanted.size, taken(0)]).toEqual([false, 0, []]);
});
