import type { ReadinessView } from '@understudy/shared/browser';
import { expect, test } from 'vitest';
import { readinessTable } from './readiness.ts';

type Member = ReadinessView['members'][number];

const memberWith = (change: Partial<Member>): Member => ({
  ...{ member: 'prod/db1', instanceId: 'i-1', az: 'us-east-1a', verdict: 'ready', strategy: 'reboot' },
  ...{ rtoMs: 60_000, rto: null, rtoLastWayMs: null, rpoMs: 0, rpoDisksLostMs: 3_600_000 },
  ...{ losesEverythingWithDisks: false, objectives: null, missed: [], blockers: [], judgedAtWallMs: 9 },
  facts: [
    { fact: 'guard', state: 'known', lookedAtWallMs: 9, text: '' },
    { fact: 'plan', state: 'known', lookedAtWallMs: 5, text: '' },
  ],
  ...change,
});

const tableOf = (...members: readonly Member[]) =>
  readinessTable({ members: [...members], counts: { blocked: 0, ready: members.length }, notKnown: [] });

test('a line says when it would be back, what is lost, and how old its oldest fact is', () => {
  expect(tableOf(memberWith({}))).toEqual({
    counts: '1 ready',
    moreCount: 0,
    rows: [
      {
        ...{ member: 'prod/db1', verdict: 'ready', backAfter: '1 min 0 s', inTheWay: '–', lookedAtWallMs: 5 },
        loses: 'nothing; the last 1 h 0 min with its disks',
      },
    ],
  });
});

test('what is not known is never shown as nothing', () => {
  const facts = [{ fact: 'plan', state: 'unknown' as const, lookedAtWallMs: null, text: '' }];
  const [row] = tableOf(memberWith({ rtoMs: null, rpoMs: null, rpoDisksLostMs: null, facts }))?.rows ?? [];
  expect(row).toMatchObject({
    backAfter: 'not known',
    loses: 'not known',
    inTheWay: 'plan unknown',
    lookedAtWallMs: null,
  });
  expect(readinessTable(null)).toBeNull();
});

test('twenty are shown, and the rest are counted', () => {
  const many = Array.from({ length: 23 }, (_, at) =>
    memberWith({ member: `prod/db${at}`, losesEverythingWithDisks: true }),
  );
  const table = tableOf(...many);
  expect([table?.rows.length, table?.moreCount]).toEqual([20, 3]);
  expect(table?.rows[0]?.loses).toBe('nothing; everything with its disks');
});
