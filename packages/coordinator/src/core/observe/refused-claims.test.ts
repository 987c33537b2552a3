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
