import { expect, test } from 'vitest';
import { etagOf, revisionRead } from './preconditions.ts';

test('the ETag of a record is its revision, and comes back as that', () => {
  expect(revisionRead({ ifMatch: etagOf(41) })).toBe(41);
  expect(revisionRead({ ifMatch: '"0"' })).toBe(0);
});

test('a change without If-Match is 428, with another kind of ETag 400', () => {
  expect(() => revisionRead({ ifMatch: null })).toThrow(expect.objectContaining({ code: 'PRECONDITION_REQUIRED' }));
  for (const ifMatch of ['*', '41', 'W/"41"', '"x"', '"-1"', '"99999999999999999999"'])
    expect(() => revisionRead({ ifMatch }), ifMatch).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});
