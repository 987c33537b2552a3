import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { decideKeyChange, type KeySet, someOf } from './key-change.ts';

const set = (keys: Record<number, string>): KeySet =>
  new Map(Object.entries(keys).map(([id, mark]) => [Number(id), mark]));
const users =
  (by: Record<number, readonly MemberId[]>) =>
  (id: number): readonly MemberId[] =>
    by[id] ?? [];
const nobody = users({});
const ONE = set({ 1: 'a' });

describe('a changed set of keys', () => {
  it('with a second id is taken; the first one stays as it is', () => {
    expect(decideKeyChange(ONE, set({ 1: 'a', 2: 'b' }), users({ 1: ['x/y'] }), [])).toEqual({
      kind: 'take',
      added: [2],
      dropped: [],
      kept: new Set([1]),
      lost: [],
    });
  });

  it('that is no change is none', () => {
    expect(decideKeyChange(ONE, set({ 1: 'a' }), nobody, [])).toEqual({ kind: 'same' });
  });

  it('in another order is taken: the newest is the last', () => {
    const ours = new Map([
      [2, 'b'],
      [1, 'a'],
    ]);
    const theirs = new Map([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(decideKeyChange(ours, theirs, nobody, [])).toMatchObject({ kind: 'take', added: [], dropped: [] });
  });

  it('without an id that nobody speaks with any more is taken', () => {
    expect(decideKeyChange(set({ 1: 'a', 2: 'b' }), set({ 2: 'b' }), users({ 2: ['x/y'] }), [])).toMatchObject({
      kind: 'take',
      dropped: [1],
      lost: [],
    });
  });

  it('without an id that members still speak with is refused, naming them and the way out', () => {
    const change = decideKeyChange(set({ 1: 'a', 2: 'b' }), set({ 2: 'b' }), users({ 1: ['x/y', 'x/z'] }), []);
    expect(change).toMatchObject({ kind: 'refuse' });
    expect(change.kind === 'refuse' && change.text).toMatch(/id 1 .*2 members.*x\/y, x\/z.*dropKeysInUse/);
  });

  it('that would drop every key in use is refused, also when it adds one', () => {
    expect(decideKeyChange(ONE, set({ 3: 'c' }), users({ 1: ['x/y'] }), [])).toMatchObject({ kind: 'refuse' });
  });

  it('with another secret under an id in use is refused, whatever else it brings', () => {
    const change = decideKeyChange(ONE, set({ 1: 'z', 2: 'b' }), users({ 1: ['x/y'] }), []);
    expect(change.kind === 'refuse' && change.text).toContain('another secret');
  });

  it('with another secret under an id that nobody uses drops the old one and adds the new one', () => {
    expect(decideKeyChange(ONE, set({ 1: 'z' }), nobody, [])).toMatchObject({
      kind: 'take',
      added: [1],
      dropped: [1],
      kept: new Set(),
    });
  });

  it('without an id in use is taken when that is forced, and says who is lost', () => {
    const forced = decideKeyChange(set({ 1: 'a', 2: 'b' }), set({ 2: 'b' }), users({ 1: ['x/y'] }), [1]);
    expect(forced).toMatchObject({ kind: 'take', dropped: [1], lost: ['x/y'] });
    expect(decideKeyChange(set({ 1: 'a', 2: 'b' }), set({ 2: 'b' }), users({ 1: ['x/y'] }), [2]).kind).toBe('refuse');
  });
});

it('names five members and counts the rest', () => {
  expect(someOf(['a/1', 'a/2'])).toBe('a/1, a/2');
  expect(someOf(['a/1', 'a/2', 'a/3', 'a/4', 'a/5'])).toBe('a/1, a/2, a/3, a/4, a/5');
  expect(someOf(['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'a/6', 'a/7'])).toBe('a/1, a/2, a/3, a/4, a/5 and 2 more');
});
