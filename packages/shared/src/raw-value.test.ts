import { describe, expect, test } from 'vitest';
import { flagOf, numberOf, oneOf, rawListOf, rawOf, tagsOf, textOf, textsOf, wallMsOf } from './raw-value.ts';

/** Values that no field of an answer should have, and yet may have. */
const ODD = [undefined, null, 0, 1, '', 'text', true, Number.NaN, [], {}, new Date(5)];
const read = <T>(reader: (value: unknown) => T, wanted: readonly unknown[], otherwise: T) => {
  for (const value of ODD.filter((one) => !wanted.includes(one))) expect(reader(value)).toEqual(otherwise);
};

describe('of a field that is missing or of another type', () => {
  test('nothing is read as an object but an object', () => {
    read(rawOf, [ODD[9], ODD[10]], {});
    const value = { a: 1 };
    expect(rawOf(value)).toBe(value);
    expect(rawOf([{ a: 1 }])).toEqual({});
  });
  test('of a list the objects are read, and nothing else of it', () => {
    read(rawListOf, [], []);
    expect(rawListOf([{ a: 1 }, null, 'x', 3, { b: 2 }])).toEqual([{ a: 1 }, { b: 2 }]);
  });
  test('text is a text with something in it', () => {
    read(textOf, ['text'], null);
    expect(textOf('text')).toBe('text');
    read(textsOf, [], []);
    expect(textsOf(['a', '', 3, null, 'b'])).toEqual(['a', 'b']);
  });
  test('a number is finite', () => {
    read(numberOf, [0, 1], null);
    expect([0, 1.5].map(numberOf)).toEqual([0, 1.5]);
    expect(numberOf(Number.POSITIVE_INFINITY)).toBeNull();
    expect(numberOf('3')).toBeNull();
  });
  test('a flag is true for true alone', () => {
    read(flagOf, [true], false);
    expect(flagOf(true)).toBe(true);
  });
  test('a time is a date, or a text that is one', () => {
    read(wallMsOf, [ODD[10]], null);
    expect(wallMsOf(new Date(5))).toBe(5);
    expect(wallMsOf('1970-01-01T00:00:01Z')).toBe(1_000);
    expect(wallMsOf(new Date(Number.NaN))).toBeNull();
  });
  test('tags have a key that is a text; a value that is none is empty', () => {
    read(tagsOf, [], {});
    const tags = [{ Key: 'a', Value: '1' }, { Key: 'b' }, { Value: 'x' }, { Key: 3, Value: 'y' }, 'z'];
    expect(tagsOf(tags)).toEqual({ a: '1', b: '' });
  });
});

test('a word that EC2 invents later is none of those we act on', () => {
  expect(oneOf(['stop', 'terminate'], 'terminate', 'stop')).toBe('terminate');
  expect(oneOf(['stop', 'terminate'], 'melt', 'stop')).toBe('stop');
});
