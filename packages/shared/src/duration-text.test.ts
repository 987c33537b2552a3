import { expect, it } from 'vitest';
import { durationText } from './duration-text.ts';

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_000, '1.0 s'],
  [59_940, '59.9 s'],
  [60_000, '1 min 0 s'],
  [3_599_000, '59 min 59 s'],
  [3_660_000, '1 h 1 min'],
  [172_799_000, '47 h 59 min'],
  [183_600_000, '2 d 3 h'],
])('%d ms reads %s', (ms, text) => expect(durationText(ms)).toBe(text));
