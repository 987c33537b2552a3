import type { MemberReadiness, ReadinessView } from '@understudy/shared';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { readinessText, readinessVerdict } from './readiness-view.ts';

const NOW_MS = 1_800_000_000_000;

const memberWith = (change: Partial<MemberReadiness>): MemberReadiness => ({
  ...{ member: 'prod/db1', instanceId: 'i-1', az: 'us-east-1a', verdict: 'ready', strategy: 'reboot' },
  ...{ rtoMs: 60_000, rtoLastWayMs: 400_000, rpoMs: 0, rpoDisksLostMs: 3_600_000, losesEverythingWithDisks: false },
  rto: { typicalMs: 40_000, slowMs: 60_000, detection: { typicalMs: 8_000, slowMs: 9_300 } },
  ...{ objectives: null, missed: [], blockers: [], judgedAtWallMs: NOW_MS },
  facts: [{ fact: 'plan', state: 'known', lookedAtWallMs: NOW_MS - 120_000, text: '' }],
  ...change,
});

const viewOf = (...members: readonly MemberReadiness[]): ReadinessView => ({
  members: [...members],
  counts: Object.fromEntries(
    [...Map.groupBy(members, ({ verdict }) => verdict)].map(([one, all]) => [one, all.length]),
  ),
  notKnown: ['quotas of the account'],
});

const textOf = (view: ReadinessView) => stripVTControlCharacters(readinessText(view, NOW_MS));

test('one line says how all are, the worst first; then each member in one line, with its age', () => {
  const blocker = {
    kind: 'paused',
    code: 'Paused',
    text: 'ops paused it',
    remedy: 'resume',
    stops: true,
    lookedAtWallMs: NOW_MS,
  };
  const text = textOf(
    viewOf(memberWith({ member: 'prod/db2', verdict: 'blocked', blockers: [blocker] }), memberWith({})),
  );
  const [verdict, head, worst, fine, reason, last] = text.split('\n');
  expect(verdict).toBe('1 blocked, 1 ready of 2');
  expect(head).toMatch(/^member +verdict +way +back after +loses +in the way +looked at/);
  expect(worst).toMatch(/^prod\/db2 +blocked .* Paused +2 min/);
  expect(fine).toContain('1 min 0 s on a bad day, 6 min 40 s by the last way');
  expect(fine).toContain('nothing; the last 1 h 0 min with its disks');
  expect(reason).toBe('prod/db2: Paused: ops paused it. Remedy: resume');
  expect(last).toBe('no verdict rests on: quotas of the account');
});

test('what would keep every recovery waiting stands once, below the verdict', () => {
  const ofFleet = [{ code: 'BudgetExhausted', text: '0.20 recoveries left', untilWallMs: NOW_MS }];
  const [verdict, waits] = textOf({ ...viewOf(memberWith({}), memberWith({})), ofFleet }).split('\n');
  expect(verdict).toBe('2 ready of 2');
  expect(waits).toBe('a recovery of any member would wait now: BudgetExhausted: 0.20 recoveries left');
});

test('what is not known says so, and is not shown as nothing', () => {
  const facts = [{ fact: 'plan', state: 'unknown' as const, lookedAtWallMs: null, text: '' }];
  const unknown = { rtoMs: null, rto: null, rtoLastWayMs: null, rpoMs: null, rpoDisksLostMs: null, strategy: null };
  const text = textOf(viewOf(memberWith({ verdict: 'unknown', facts, ...unknown })));
  expect(text.split('\n')[2]).toMatch(/unknown +– +not known +not known +plan unknown +never/);
});

test('a miss stands with both numbers and the remedy, and reasons are bounded', () => {
  const miss = {
    objective: 'rpoMs' as const,
    wantedMs: 1,
    predictedMs: null,
    text: 'everything, wanted 1',
    remedy: 'snapshots',
  };
  const many = Array.from({ length: 40 }, (_, at) =>
    memberWith({ member: `prod/db${at}`, verdict: 'at-risk', missed: [miss] }),
  );
  const lines = textOf(viewOf(...many)).split('\n');
  expect(lines).toContain('prod/db0: misses rpoMs: everything, wanted 1. Remedy: snapshots');
  expect(lines.at(-2)).toBe('and 10 more (--json has all)');
  expect(textOf(viewOf(memberWith({ losesEverythingWithDisks: true })))).toContain('everything with its disks');
  expect(readinessVerdict(viewOf())).toBe('no member is known');
});
