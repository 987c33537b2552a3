import { expect, test } from 'vitest';
import { Pace, sourceOf } from './pace.ts';

test.each([
  ['10.0.0.7', '10.0.0.7'],
  ['2600:1f18:1:2:aa::1', `${0x2600}:${0x1f18}:1:2:${0xaa}::/80`],
  ['fe80::1%eth0', `${0xfe80}:0:0:0:0::/80`],
  ['::1', '0:0:0:0:0::/80'],
  ['2600::', `${0x2600}:0:0:0:0::/80`],
])('the source of %s is %s', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});

test('names are bounded: who asked longest ago is forgotten, and begins anew', () => {
  const pace = new Pace({ burst: 1, refillPerSecond: 0.001 });
  expect([pace.take('first', 0), pace.take('first', 0)]).toEqual([true, false]);
  for (let count = 0; count < 4_999; count += 1) pace.take(`other ${count}`, 0);
  expect(pace.take('first', 0)).toBe(false);
  for (let count = 0; count < 5_000; count += 1) pace.take(`later ${count}`, 0);
  expect(pace.take('first', 0)).toBe(true);
});
