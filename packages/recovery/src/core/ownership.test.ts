import type { MovedFlip } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { type Found, ownershipMove, PUT_BACK_TRIES_MAX } from './ownership.ts';

const NOW = 5_000;
const move = (found: Found, flip?: MovedFlip) => ownershipMove(flip ? { flip } : {}, found, NOW);
const seen = (over: Partial<MovedFlip> = {}): MovedFlip => ({ holder: 'nobody', seenAtWallMs: 1, tries: 1, ...over });
const FREE: Found = { kind: 'free' };
const THERE: Found = { kind: 'there' };
const ELSEWHERE: Found = { kind: 'elsewhere', holder: 'i-x' };

describe('something that a recovery has put somewhere', () => {
  test('is there: nothing', () => expect(move(THERE)).toEqual({ kind: 'nothing' }));
  test('is not shown: nothing is concluded', () => {
    for (const flip of [undefined, seen(), seen({ left: 'x' })])
      expect(move({ kind: 'unknown' }, flip)).toEqual({ kind: 'nothing' });
  });
  test('went to nobody: it is put back, taken from nobody', () =>
    expect(move(FREE)).toEqual({
      kind: 'put-back',
      flip: { holder: 'nobody', seenAtWallMs: NOW, tries: 1 },
      from: null,
    }));
  test('went to the retired instance: it is put back, and taken from exactly there', () =>
    expect(move({ kind: 'retired', from: 'assoc-1' })).toMatchObject({ kind: 'put-back', from: 'assoc-1' }));
  test('went to somebody else: it is never touched, whatever was before', () => {
    for (const flip of [undefined, seen(), seen({ backAtWallMs: 2 })]) {
      const decided = move(ELSEWHERE, flip);
      expect(decided).toMatchObject({ kind: 'note', flip: { holder: 'i-x' } });
      expect(decided.kind === 'note' && decided.flip.left).toContain('i-x has it');
      expect(decided.kind === 'note' && move(ELSEWHERE, decided.flip)).toEqual({ kind: 'nothing' });
    }
  });
});

describe('what was put back', () => {
  test('and is seen back, is told once', () => {
    const decided = move(THERE, seen());
    expect(decided).toEqual({ kind: 'note', flip: { ...seen(), backAtWallMs: NOW } });
    expect(decided.kind === 'note' && move(THERE, decided.flip)).toEqual({ kind: 'nothing' });
  });
  test('and went again, is left to a person, also when it is free once more', () => {
    const decided = move(FREE, seen({ backAtWallMs: 2 }));
    expect(decided).toMatchObject({
      kind: 'note',
      flip: { left: expect.stringContaining('has gone again') as string },
    });
    expect(decided.kind === 'note' && move(FREE, decided.flip)).toEqual({ kind: 'nothing' });
  });
  test('and is not seen back, is tried a few times and then left', () => {
    let flip: MovedFlip | undefined;
    for (let tries = 1; tries <= PUT_BACK_TRIES_MAX; tries += 1) {
      const decided = move(FREE, flip);
      expect(decided).toMatchObject({ kind: 'put-back', flip: { tries } });
      if (decided.kind === 'put-back') flip = decided.flip;
    }
    expect(move(FREE, flip)).toMatchObject({
      kind: 'note',
      flip: { left: expect.stringContaining('3 calls') as string },
    });
  });
  test('by a person is over, and is not put back by us any more', () => {
    const decided = move(THERE, seen({ left: 'x' }));
    expect(decided.kind === 'note' && decided.flip).toEqual({ ...seen(), backAtWallMs: NOW });
    expect(decided.kind === 'note' && move(FREE, decided.flip)).toMatchObject({ kind: 'note' });
  });
});
