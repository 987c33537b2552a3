import { expect, test } from 'vitest';
import { RefusedClaims } from './refused-claims.ts';

test('counts what claims to be a member and is not believed, with where the last came from', () => {
  const claims = new RefusedClaims();
  for (let i = 0; i < 1_132; i += 1) claims.note('prod/db1', 'unknown-key', '10.0.0.5', 1_000 + i * 50);
  expect(claims.of('prod/db1', 58_000)).toMatchObject({
    count: 1_132,
    kind: 'unknown-key',
    from: '10.0.0.5',
    sinceMs: 1_000,
  });
  expect(claims.of('prod/db2', 58_000)).toBeNull();
});

test('another kind, or silence of a minute, begins anew', () => {
  const claims = new RefusedClaims();
  claims.note('prod/db1', 'unknown-key', 'a', 0);
  claims.note('prod/db1', 'forged', 'a', 10);
  expect(claims.of('prod/db1', 10)).toMatchObject({ kind: 'forged', count: 1 });
  expect(claims.of('prod/db1', 60_011)).toBeNull();
  claims.note('prod/db1', 'forged', 'a', 100_000);
  expect(claims.of('prod/db1', 100_000)).toMatchObject({ count: 1, sinceMs: 100_000 });
});

test('a flood that names everybody is counted for 64 members, and makes room when those are over', () => {
  const claims = new RefusedClaims();
  for (let i = 0; i < 10_000; i += 1) claims.note(`g/m${i}`, 'forged', 'a', 0);
  const counted = (nowMs: number) =>
    Array.from({ length: 10_000 }, (_, i) => claims.of(`g/m${i}`, nowMs)).filter(Boolean);
  expect(counted(0)).toHaveLength(64);
  claims.note('g/m9999', 'forged', 'a', 60_001);
  expect(counted(60_001)).toHaveLength(1);
});

test('a minute after the last one it still counts, a millisecond later it is over', () => {
  const claims = new RefusedClaims();
  claims.note('g/a', 'forged', 'a', 0);
  claims.note('g/a', 'forged', 'b', 60_000);
  expect(claims.of('g/a', 120_000)).toMatchObject({ count: 2, sinceMs: 0, lastMs: 60_000, from: 'b' });
  expect(claims.of('g/a', 120_001)).toBeNull();
  claims.note('g/a', 'forged', 'c', 120_001);
  expect(claims.of('g/a', 120_001)).toMatchObject({ count: 1, sinceMs: 120_001 });
});

test('who is counted already goes on being counted while there is no room for others, also when the kind changes', () => {
  const claims = new RefusedClaims();
  for (let i = 0; i < 64; i += 1) claims.note(`g/m${i}`, 'forged', 'a', 0);
  claims.note('g/m0', 'forged', 'a', 60_000);
  claims.note('g/m1', 'unknown-key', 'a', 60_000);
  claims.note('g/late', 'forged', 'a', 60_000);
  expect(claims.of('g/m0', 60_000)?.count).toBe(2);
  expect(claims.of('g/m1', 60_000)).toMatchObject({ kind: 'unknown-key', count: 1 });
  expect(claims.of('g/late', 60_000)).toBeNull();
  claims.note('g/late', 'forged', 'a', 60_001);
  expect(claims.of('g/late', 60_001)?.count).toBe(1);
  expect([claims.of('g/m0', 60_001)?.count, claims.of('g/m1', 60_001)?.count]).toEqual([2, 1]);
});

test('what is told is a copy: it does not count on', () => {
  const claims = new RefusedClaims();
  claims.note('g/a', 'forged', 'a', 0);
  const told = claims.of('g/a', 0);
  claims.note('g/a', 'forged', 'a', 1);
  expect([told?.count, claims.of('g/a', 1)?.count]).toEqual([1, 2]);
});
