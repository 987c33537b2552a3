import type { StatusView } from '@understudy/shared';
import { expect, test } from 'vitest';
import { statusOf } from '../status.fixtures.ts';
import { noticeOf } from './notice.ts';

test.each<[string, Partial<StatusView>, string | null]>([
  ['a coordinator that is up to date', {}, null],
  ['etcd is silent', { store: { fresh: false, lastContactAgoMs: 40_000 } }, 'OLD: c2 heard etcd 40.0 s ago'],
  ['etcd never spoke', { store: { fresh: false, lastContactAgoMs: null } }, 'OLD: c2 heard etcd never'],
  [
    'nobody leads',
    { leader: null, judgement: { standing: 'last', by: 'c1', term: 8, ageMs: 9_000 } },
    'NO LEADER: the last judgement is that of c1, which is 9.0 s old',
  ],
  [
    'a new leader',
    { judgement: { standing: 'none', by: null, term: null, ageMs: null } },
    'NOT JUDGED YET: c1 leads and has not judged; nobody has judged yet',
  ],
])('%s', (_, over, text) => {
  if (text === null) expect(noticeOf(statusOf(over))).toBeNull();
  else expect(noticeOf(statusOf(over))).toContain(text);
});
