import { expect, test } from 'vitest';
import { type VerdictChange, VerdictChanges } from './verdict-changes.ts';

const change = (atWallMs: number, more: Partial<VerdictChange> = {}): VerdictChange => ({
  ...{ atWallMs, by: 'c1 as leader', instanceId: 'i-1', verdict: 'alive', reasonCode: 'Heard', reason: 'heard' },
  ...more,
});

test('newest first; the same mind again is no change, another reason is', () => {
  const changes = new VerdictChanges();
  changes.note('db/a', change(1));
  changes.note('db/a', change(2));
  changes.note('db/a', change(3, { verdict: 'suspect', reasonCode: 'SomeStillConfirming' }));
  changes.note('db/a', change(4, { verdict: 'suspect', reasonCode: 'NotEnoughObservers' }));
  changes.note('db/a', change(5, { by: 'observer c1' }));
  changes.note('db/a', change(6, { verdict: 'suspect', reasonCode: 'NotEnoughObservers' }));
  expect(changes.of('db/a').map((one) => one.atWallMs)).toEqual([5, 4, 3, 1]);
  expect(changes.of('db/b')).toEqual([]);
});

test('another verdict is a change, also for the same reason', () => {
  const changes = new VerdictChanges();
  changes.note('db/a', change(1, { verdict: 'suspect', reasonCode: 'Ec2Stale' }));
  changes.note('db/a', change(2, { verdict: 'unknown', reasonCode: 'Ec2Stale' }));
  expect(changes.of('db/a').map((one) => one.verdict)).toEqual(['unknown', 'suspect']);
});

test('another instance is a change', () => {
  const changes = new VerdictChanges();
  changes.note('db/a', change(1));
  changes.note('db/a', change(2, { instanceId: 'i-2' }));
  expect(changes.of('db/a')).toHaveLength(2);
});

test('at most 20 of a member, at most 10 000 members, the one that changed last stays', () => {
  const changes = new VerdictChanges();
  for (let i = 0; i < 30; i++) changes.note('db/a', change(i, { reasonCode: `R${i}` }));
  expect(changes.of('db/a').map((one) => one.atWallMs)).toEqual(Array.from({ length: 20 }, (_, i) => 29 - i));
  for (let i = 1; i < 10_000; i++) changes.note(`db/m${i}`, change(i));
  changes.note('db/a', change(40));
  changes.note('db/new', change(50));
  expect([changes.of('db/m1'), changes.of('db/a').length, changes.of('db/m2').length]).toEqual([[], 20, 1]);
});
