import type { KvEntry } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { CompletenessCheck } from './completeness-check.ts';

const entry = (key: string, modRevision: number): KvEntry => ({
  key,
  value: '',
  createRevision: modRevision,
  modRevision,
  leaseId: '0',
});
const map = (...entries: KvEntry[]) => new Map(entries.map((one) => [one.key, one]));
const seen = (revision: number, ...entries: KvEntry[]) => ({ revision, entries });

describe('a map that has reached revision 10', () => {
  const witness = () => new CompletenessCheck('/w/');

  it('is complete when it holds what was read there', () => {
    expect(witness().differences(seen(10, entry('/w/a', 7)), map(entry('/w/a', 7), entry('/other', 3)))).toEqual([]);
  });

  it('has lost an event when it lacks a key, holds an older one, or one that is gone', () => {
    expect(witness().differences(seen(10, entry('/w/a', 7)), map())).toEqual(['/w/a']);
    expect(witness().differences(seen(10, entry('/w/a', 7)), map(entry('/w/a', 5)))).toEqual(['/w/a']);
    expect(witness().differences(seen(10), map(entry('/w/a', 7)))).toEqual(['/w/a']);
  });

  it('may be ahead of what was read', () => {
    const ahead = witness();
    ahead.noteDeleted('/w/b', 12);
    const read = seen(10, entry('/w/a', 7), entry('/w/b', 8));
    expect(ahead.differences(read, map(entry('/w/a', 11), entry('/w/c', 13)))).toEqual([]);
  });

  it('has lost an event when it holds what was written in that revision and was not read', () => {
    expect(witness().differences(seen(10), map(entry('/w/a', 10)))).toEqual(['/w/a']);
  });

  it('is excused by the last 64 deletions of the witnessed part; what is deleted again counts from then', () => {
    const witnessed = witness();
    const read = (name: string) => witnessed.differences(seen(100, entry(name, 8)), map());
    witnessed.noteDeleted('/w/again', 101);
    witnessed.noteDeleted('/w/first', 102);
    for (let count = 0; count < 62; count += 1) witnessed.noteDeleted(`/w/${count}`, 103 + count);
    for (let count = 0; count < 100; count += 1) witnessed.noteDeleted(`/other/${count}`, 200 + count);
    expect([read('/w/again'), read('/w/first')]).toEqual([[], []]);
    witnessed.noteDeleted('/w/again', 300);
    expect(read('/w/first')).toEqual([]);
    witnessed.noteDeleted('/w/last', 301);
    expect([read('/w/first'), read('/w/again'), read('/w/0')]).toEqual([['/w/first'], [], []]);
  });

  it('is not excused by a deletion before the read', () => {
    const witnessed = witness();
    witnessed.noteDeleted('/w/b', 4);
    expect(witnessed.differences(seen(10, entry('/w/b', 8)), map())).toEqual(['/w/b']);
  });
});
