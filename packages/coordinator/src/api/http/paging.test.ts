import { expect, test } from 'vitest';
import { pageOf } from './paging.ts';

const names = (...list: string[]) => list.map((name) => ({ name }));
const key = ({ name }: { name: string }) => name;

test('pages follow each other, while items come and go', () => {
  const first = pageOf(names('d', 'a', 'c', 'b'), key, { limit: 2 });
  expect(first.items.map(key)).toEqual(['a', 'b']);
  // `b` is gone and `aa` is new: neither repeats an item nor leaves one out.
  const second = pageOf(names('a', 'aa', 'c', 'd', 'e'), key, { limit: 2, cursor: first.next ?? '' });
  expect(second.items.map(key)).toEqual(['c', 'd']);
  const last = pageOf(names('e'), key, { limit: 2, cursor: second.next ?? '' });
  expect([last.items.map(key), last.next]).toEqual([['e'], null]);
});

test('the other way round, newest first', () => {
  const first = pageOf(names('1', '3', '2'), key, { limit: 2 }, 'descending');
  expect(first.items.map(key)).toEqual(['3', '2']);
  expect(
    pageOf(names('1', '3', '2'), key, { limit: 2, cursor: first.next ?? '' }, 'descending').items.map(key),
  ).toEqual(['1']);
});

test.each(['', 'x', 'e30', Buffer.from('{"after":7}').toString('base64url')])('%j is no cursor of ours', (cursor) => {
  expect(() => pageOf(names('a'), key, { limit: 1, cursor })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});
