import { expect, it } from 'vitest';
import { exercised } from './exercised.ts';

it('says what a property came to, and fails when it is too little or nothing at all', () => {
  const seen = exercised();
  for (let round = 0; round < 3; round += 1) seen.note('fresh');
  seen.note('bytes', 40);
  expect(() => seen.atLeast({ fresh: 3, bytes: 40 })).not.toThrow();
  expect(() => seen.atLeast({ fresh: 4, bytes: 40 })).toThrow(
    'the property exercised too little: fresh 3 times, want 4. All: {"fresh":3,"bytes":40}',
  );
  expect(() => seen.atLeast({ replayed: 1 })).toThrow('replayed 0 times, want 1');
});
