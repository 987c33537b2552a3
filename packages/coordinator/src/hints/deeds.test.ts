import { type Deed, deedText, type MonotonicMs } from '@understudy/shared';
import { expect, test } from 'vitest';
import { Deeds } from './deeds.ts';

const deed = (eventId: string, atWallMs = 0, over: Partial<Deed> = {}): Deed => ({
  ...{ action: 'StopInstances', by: 'arn:x', atWallMs, requestId: 'r', eventId, isOurs: false, ...over },
});

test('a deed is known once, however often it is told, and the newest is told first', () => {
  const deeds = new Deeds();
  expect([deeds.note('i-1', deed('a', 5)), deeds.note('i-1', deed('a', 5)), deeds.note('i-1', deed('b', 9))]).toEqual([
    ...[true, false, true],
  ]);
  expect(deeds.of('i-1').map((one) => one.eventId)).toEqual(['b', 'a']);
  expect(deeds.of('i-2')).toEqual([]);
});

test('of one instance ten are kept, and of five thousand instances', () => {
  const deeds = new Deeds();
  for (let nth = 0; nth < 12; nth += 1) deeds.note('i-1', deed(`e${nth}`, nth));
  expect(deeds.of('i-1').map((one) => one.atWallMs)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  for (let nth = 0; nth < 5_000; nth += 1) deeds.note(`i-x${nth}`, deed('a'));
  expect([deeds.of('i-1'), deeds.of('i-x4999').length]).toEqual([[], 1]);
});

test('the sentence names who, when and which request, and that it proves nothing', () => {
  expect(deedText('i-1', deed('a', 0))).toBe(
    'StopInstances of i-1 by arn:x at 1970-01-01T00:00:00.000Z, request r (CloudTrail; explains, proves nothing)',
  );
  expect(deedText('i-1', deed('a', 0, { requestId: '', isOurs: true }))).toContain('with the client of a coordinator');
});

const at = (ms: number) => ms as MonotonicMs;

test('who changed an instance is remembered for an hour, each event once, and 500 at most', () => {
  const deeds = new Deeds();
  deeds.noteRecent(['i-1', 'i-2'], deed('a', 5), at(0));
  deeds.noteRecent(['i-1', 'i-2'], deed('a', 5), at(1));
  const said = { atWallMs: 5, by: 'arn:x, by StopInstances' };
  expect(deeds.recent()).toEqual([
    { id: 'i-1', ...said },
    { id: 'i-2', ...said },
  ]);
  deeds.noteRecent(['i-3'], deed('b'), at(3_600_002));
  expect(deeds.recent().map(({ id }) => id)).toEqual(['i-3']);
  deeds.note('i-1', deed('m'));
  for (let number = 0; number < 600; number += 1) deeds.noteRecent(['i-4'], deed(`c${number}`), at(3_600_003));
  expect(deeds.recent()).toHaveLength(500);
  expect(deeds.of('i-1')).toHaveLength(1);
});
