import type { WhatIfMember, WhatIfView } from '@understudy/shared';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { whatIfText } from './what-if-view.ts';

const memberWith = (change: Partial<WhatIfMember>): WhatIfMember => ({
  ...{
    member: 'prod/db1',
    az: 'us-east-1a',
    outcome: 'recovered',
    order: 1,
    strategy: 'reattach',
    places: ['us-east-1b'],
  },
  ...{
    startsAfterMs: 8_000,
    servesAfterMs: 60_000,
    servesAfterSlowMs: 120_000,
    rpoMs: 0,
    waitedFor: [],
    rateWaitMs: 0,
  },
  ...{ reason: 'Recovered', text: 'every gate lets it be recovered' },
  ...change,
});

const NOT_BEGUN = { order: null, strategy: null, places: [], startsAfterMs: null, servesAfterMs: null, rpoMs: null };

const viewWith = (change: Partial<WhatIfView>): WhatIfView => ({
  scenario: { kind: 'zone-lost', name: 'us-east-1a' },
  ...{ asOfWallMs: 0, verdict: 'zone-lost us-east-1a: one line', members: [memberWith({})], unwatched: [], rates: [] },
  observers: { lost: ['c1'], left: ['c2', 'c3'], abstain: null },
  leader: { now: 'c1', isLost: true, next: ['c2', 'c3'], afterMs: 11_000 },
  ...{ supposes: ['it happens now'], notKnown: ['quotas of the account'], truncated: false },
  ...change,
});

const linesOf = (change: Partial<WhatIfView>) => stripVTControlCharacters(whatIfText(viewWith(change))).split('\n');

test('the verdict comes first, then each member in its order, then who leads and what is supposed', () => {
  const waits = memberWith({
    member: 'prod/db2',
    order: 2,
    waitedFor: ['BudgetExhausted'],
    rateWaitMs: 2_000,
    rpoMs: 5_000,
  });
  const [verdict, head, first, second, ...rest] = linesOf({ members: [memberWith({}), waits] });
  expect(verdict).toBe('zone-lost us-east-1a: one line');
  expect(head).toMatch(/^# +member +zone +outcome +way +to +begins after +serves after +loses +waits for/);
  expect(first).toMatch(/^1 +prod\/db1 +us-east-1a +recovered +reattach +us-east-1b +8\.0 s .* nothing +–/);
  expect(second).toMatch(/5\.0 s +BudgetExhausted, EC2's rates \(2\.0 s\)$/);
  expect(rest).toEqual([
    'coordinators lost: c1; left: c2, c3; one of c2, c3 leads within 11.0 s',
    'supposes: it happens now',
    'not known: quotas of the account',
  ]);
});

test('each reason of those that are not recovered stands once, with how many it is of', () => {
  const held = { ...NOT_BEGUN, outcome: 'held' as const, reason: 'ZoneFailure', text: 'too many' };
  const lines = linesOf({ members: [memberWith(held), memberWith({ ...held, member: 'prod/db2' })] });
  expect(lines.filter((line) => line.startsWith('held: '))).toEqual(['held: ZoneFailure (2): too many']);
});

test('what would no longer be seen, and what limits delay, is told', () => {
  const lines = linesOf({
    members: [],
    observers: { lost: ['c1'], left: ['c2'], abstain: 'half is silent' },
    leader: { now: 'c1', isLost: true, next: [], afterMs: null },
    unwatched: [{ az: 'us-east-1b', members: 3, reason: 'NotEnoughObservers', text: 'one of two' }],
    rates: [{ action: 'RunInstances', calls: 9, burst: 3, refillPerSecond: 1.2, longestWaitMs: 5_000 }],
    truncated: true,
  });
  expect(lines).toEqual([
    'zone-lost us-east-1a: one line',
    'coordinators lost: c1; left: c2; nobody can lead',
    'nobody would be judged: half is silent',
    '3 members in us-east-1b would no longer be called dead if they failed too: NotEnoughObservers: one of two',
    'RunInstances: 9 calls, 3.0 at once and then 1.2 a second; the last waits 5.0 s',
    'it was ended at its bound: what is behind is not told',
    'supposes: it happens now',
    'not known: quotas of the account',
  ]);
});
