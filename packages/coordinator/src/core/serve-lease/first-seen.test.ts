import { type MemberId, monotonicMs } from '@understudy/shared';
import { expect, it } from 'vitest';
import { FirstSeen } from './first-seen.ts';

const DB: MemberId = 'prod/db';

it('a revision is known since it was first noted, and not any more once another one is there', () => {
  const seen = new FirstSeen();
  expect(seen.sinceMs(DB, 7)).toBeNull();
  seen.note(DB, { modRevision: 7 }, monotonicMs(100));
  seen.note(DB, { modRevision: 7 }, monotonicMs(200));
  expect(seen.sinceMs(DB, 7)).toBe(100);
  seen.note(DB, { modRevision: 9 }, monotonicMs(300));
  expect(seen.sinceMs(DB, 7)).toBeNull();
  expect(seen.sinceMs(DB, 9)).toBe(300);
  seen.note(DB, undefined, monotonicMs(400));
  expect(seen.sinceMs(DB, 9)).toBeNull();
});
