import { describe, expect, test } from 'vitest';
import { apartFrom, type Build, levelDue, levelInForce } from './feature-level.ts';

const THIS: Build = { level: 1, oldest: 1 };
const NEXT: Build = { level: 2, oldest: 1 };
const AFTER: Build = { level: 3, oldest: 2 };

describe('the level in force', () => {
  test('is what was agreed on, once everybody who is present understands it', () => {
    expect(levelInForce({ recorded: 2, live: [2, 3] }, NEXT)).toBe(2);
  });

  test('is less while one is present that does not', () => {
    expect(levelInForce({ recorded: 2, live: [2, 1, 2] }, NEXT)).toBe(1);
  });

  test('is not more than was agreed on, whoever is present', () => {
    expect(levelInForce({ recorded: 1, live: [2, 2] }, NEXT)).toBe(1);
    expect(levelInForce({ recorded: null, live: [2, 2] }, NEXT)).toBe(1);
  });

  test('is the least this build works at while a presence, or the record, cannot be read', () => {
    expect(levelInForce({ recorded: 2, live: [2, null] }, NEXT)).toBe(1);
    expect(levelInForce({ recorded: 'unreadable', live: [2, 2] }, NEXT)).toBe(1);
  });

  test('of every set of coordinators is understood by each of them, and never above the record', () => {
    const levels = [1, 2, 3, null];
    for (const recorded of [1, 2, 3])
      for (const a of levels)
        for (const b of levels)
          for (const c of levels) {
            const inForce = levelInForce({ recorded, live: [a, b, c] }, AFTER);
            expect(inForce).toBeLessThanOrEqual(recorded);
            for (const level of [a, b, c]) expect(inForce).toBeLessThanOrEqual(level ?? AFTER.oldest);
          }
  });
});

describe('what is to be agreed on', () => {
  test('is what all understand, if that is more than before', () => {
    expect(levelDue({ recorded: 1, live: [2, 2, 2] }, NEXT)).toBe(2);
    expect(levelDue({ recorded: 1, live: [2, 1, 2] }, NEXT)).toBeNull();
    expect(levelDue({ recorded: 2, live: [2, 2, 2] }, NEXT)).toBeNull();
  });

  test('is never lowered', () => {
    expect(levelDue({ recorded: 2, live: [1, 1] }, NEXT)).toBeNull();
  });

  test('is never more than the leader understands itself', () => {
    expect(levelDue({ recorded: 1, live: [2, 2] }, THIS)).toBeNull();
    expect(levelDue({ recorded: null, live: [2, 2] }, THIS)).toBe(1);
  });

  test('is nothing while a presence cannot be read, nobody is present, or the record cannot be read', () => {
    expect(levelDue({ recorded: 1, live: [2, null] }, NEXT)).toBeNull();
    expect(levelDue({ recorded: null, live: [] }, NEXT)).toBeNull();
    expect(levelDue({ recorded: 'unreadable', live: [2] }, NEXT)).toBeNull();
  });
});

describe('a build', () => {
  test('takes part at the levels it understands, and where none was agreed on', () => {
    expect(apartFrom(null, AFTER)).toBeNull();
    expect(apartFrom(2, AFTER)).toBeNull();
    expect(apartFrom(3, AFTER)).toBeNull();
  });

  test('that is too old or too new for what was agreed on takes no part, and says which', () => {
    expect(apartFrom(4, AFTER)).toMatchObject({ code: 'BUILD_TOO_OLD', remedy: expect.stringContaining('upgrading') });
    expect(apartFrom(1, AFTER)).toMatchObject({ code: 'BUILD_TOO_NEW' });
    expect(apartFrom(2, THIS)?.text).toContain('feature level 2, and this build understands level 1 only');
    expect(apartFrom(4, AFTER)?.text).toContain('levels 2 to 3');
  });

  test('takes no part while the record cannot be read', () => {
    expect(apartFrom('unreadable', THIS)).toMatchObject({ code: 'RECORD_UNREADABLE' });
  });
});
