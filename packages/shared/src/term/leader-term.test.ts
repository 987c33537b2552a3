import { hasCode, OperationError } from '../errors.ts';
import { expect, test } from 'vitest';
import { endText, isHandedOver, LeaderTerm, type LeaderTermOptions, type TermLease } from './leader-term.ts';

const term = () =>
  new LeaderTerm({
    entry: { createRevision: 7 },
    keeper: { leaseId: '1', signal: new AbortController().signal, remainingMs: () => 5_000 } as unknown as TermLease,
    coordinatorId: 'c1',
  } as unknown as LeaderTermOptions);

test('a term that is handed over is not told as a lost lease, and stops work in it all the same', () => {
  const given = term();
  given.handOver('this coordinator stops');
  expect(hasCode(given.signal.reason, 'LEASE_LOST')).toBe(true);
  expect(isHandedOver(given.signal.reason)).toBe(true);
  expect(endText(given.signal.reason)).toBe('term 7 is over: handed over, this coordinator stops');
});

test('a term that is lost is told as lost', () => {
  const lost = term();
  lost.end('another coordinator leads');
  expect(isHandedOver(lost.signal.reason)).toBe(false);
  expect(endText(lost.signal.reason)).toBe('LEASE_LOST: term 7 is over: another coordinator leads');
  expect(endText(new OperationError('STORE_UNAVAILABLE', 'x'))).toBe('STORE_UNAVAILABLE: x');
});
