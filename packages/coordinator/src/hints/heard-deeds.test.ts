import type { MonotonicMs } from '@understudy/shared';
import { expect, test } from 'vitest';
import type { Deed } from './cloud-event.ts';
import { HeardDeeds } from './heard-deeds.ts';

const deed = (eventId: string): Deed => ({
  ...{ action: 'StopInstances', by: 'arn:aws:iam::1:user/ann', atWallMs: 5, requestId: 'r', eventId, isOurs: false },
});
const at = (ms: number) => ms as MonotonicMs;

test('who changed an instance is remembered for an hour, each event once, and 500 at most', () => {
  const heard = new HeardDeeds();
  heard.note(['i-1', 'i-2'], deed('a'), at(0));
  heard.note(['i-1', 'i-2'], deed('a'), at(1));
  const said = { atWallMs: 5, by: 'arn:aws:iam::1:user/ann, by StopInstances' };
  expect(heard.all()).toEqual([
    { id: 'i-1', ...said },
    { id: 'i-2', ...said },
  ]);
  heard.note(['i-3'], deed('b'), at(3_600_002));
  expect(heard.all().map(({ id }) => id)).toEqual(['i-3']);
  for (let number = 0; number < 600; number += 1) heard.note(['i-4'], deed(`c${number}`), at(3_600_003));
  expect(heard.all()).toHaveLength(500);
});
