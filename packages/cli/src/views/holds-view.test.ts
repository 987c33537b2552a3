import type { HistoryRecord, HoldRecord } from '@understudy/shared';
import { expect, it } from 'vitest';
import { historyText } from './history-view.ts';
import { holdsText } from './holds-view.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);
const HOLD = {
  ...{ writtenBy: 'c1', term: 7, member: 'db/one', reason: 'FenceNotProven', text: 'i-1 is stopping' },
  ...{ sinceWallMs: NOW - 240_000, untilWallMs: NOW + 5_000, opId: 'op-1' },
} as unknown as HoldRecord;

it('a hold says why, what it means and every way out', () => {
  const text = holdsText([HOLD], NOW);
  expect(text).toContain('db/one  FenceNotProven for 4 min, looked at again in 5.0 s; recovery op-1 waits');
  expect(text).toContain('because    i-1 is stopping');
  expect(text).toMatch(/\$ understudy retry db\/one --\w+ TEXT/);
  expect(holdsText([], NOW)).toBe('nothing is held');
});

it('holds are listed with the oldest first', () => {
  const newer = { ...HOLD, member: 'db/two', sinceWallMs: NOW } as HoldRecord;
  expect(holdsText([newer, HOLD], NOW)).toMatch(/db\/one[^]*db\/two/);
});

it('history says how long, how the old one was fenced, and what was lost', () => {
  const ended = {
    ...{ opId: 'op-1', member: 'db/one', outcome: 'replaced', reason: 'silent everywhere', fencedBy: 'stopped' },
    ...{ oldInstanceId: 'i-1', newInstanceId: 'i-2', startedAtWallMs: NOW - 90_000, endedAtWallMs: NOW - 30_000 },
    ...{ launchAttempts: 2, leaderChanges: 1, leftovers: [], owed: [], losses: [{ code: 'address', text: 'gone' }] },
  } as unknown as HistoryRecord;
  const text = historyText([ended], NOW);
  for (const part of ['db/one', 'i-1 → i-2', '1 min 0 s', 'seen stopped', '2 launch attempts', 'lost: address: gone'])
    expect(text).toContain(part);
  expect(historyText([ended], NOW, { width: 160 })).toContain('30 s ago');
  expect(historyText([], NOW)).toBe('no recovery has ended');
});
