import { type MemberId, monotonicMs } from '@understudy/shared';
import { expect, it } from 'vitest';
import { FirstSeen } from './first-seen.ts';

const DB: MemberId = 'prod/db';

it('something is known since it was first noted, and not any more once something else is there', () => {
  const seen = new FirstSeen();
  expect(seen.sinceMs(DB, 'a')).toBeNull();
  seen.note(DB, 'a', monotonicMs(100));
  seen.note(DB, 'a', monotonicMs(200));
  expect(seen.sinceMs(DB, 'a')).toBe(100);
  seen.note(DB, 'b', monotonicMs(300));
  expect(seen.sinceMs(DB, 'a')).toBeNull();
  expect(seen.sinceMs(DB, 'b')).toBe(300);
  seen.note(DB, null, monotonicMs(400));
  expect(seen.sinceMs(DB, 'b')).toBeNull();
});
