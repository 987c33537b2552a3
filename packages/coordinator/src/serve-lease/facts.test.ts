import type { ObserverTable } from '@understudy/observer';
import { keyspace, type MemberId, type MonotonicMs, type ServePromise } from '@understudy/shared';
import { activationRecord, entryOf, intentRecord, memberRecord, SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterRecords } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { ServeLeaseFacts } from './facts.ts';

const KEYS = keyspace();
const DB1: MemberId = 'prod/db1';
const CONTRACT = { id: '1-1', stopWithinMs: 30_000, requireWatchdog: false, answersHoldMs: 20_000 };
const PROMISE: ServePromise = { stopWithinSeconds: 30, watchdog: false };

let clock: SimClock;
let records: ClusterRecords;
let heard: { lastHeardAtMs: MonotonicMs; servePromise: ServePromise | null } | null;
let asked: object | null;
let facts: ServeLeaseFacts;
let revision: number;
beforeEach(() => {
  clock = new SimClock();
  records = new ClusterRecords(KEYS.root);
  heard = null;
  asked = {};
  revision = 10;
  const view = { records, policyOf: () => ({ recover: { serveLease: asked } }) } as unknown as ClusterState;
  const observer = { reading: () => heard } as unknown as ObserverTable;
  facts = new ServeLeaseFacts({ view, observer, keys: KEYS, clock });
  put(KEYS.coordinator('c1'), coordinator('c1', 20_000));
  put(KEYS.activation(DB1), activationRecord(DB1, 'i-1'));
});

const coordinator = (coordinatorId: string, answersHoldMs: number) => ({
  ...{ schemaVersion: 1, writeId: 'w1', writtenBy: coordinatorId, writtenAtWallMs: 1_000 },
  ...{ coordinatorId, az: 'az-a', udpEndpoint: '10.0.0.1:4460', httpUrl: 'http://c1', startedAtWallMs: 1 },
  ...{ version: '0.1.0', processId: 'p1', answersHoldMs, featureLevel: 1 },
});

function put(key: string, record: object | string): void {
  records.put(entryOf(key, record, (revision += 1)));
  facts.noteChanged([key]);
}

/** The agent is heard, with its promise, `afterMs` from now. */
async function hear(afterMs: number, servePromise: ServePromise | null = PROMISE): Promise<void> {
  await clock.advance(afterMs);
  heard = { lastHeardAtMs: clock.monotonicMs(), servePromise };
}

const agree = (id = CONTRACT.id) =>
  put(KEYS.member(DB1), memberRecord(DB1, { instanceId: 'i-1', serveContract: { ...CONTRACT, id } }));

describe('a serve lease', () => {
  test('counts once the promise was heard long enough after the contract was seen', async () => {
    agree();
    await hear(1_000);
    expect(facts.standing(DB1, 'i-1')).toMatchObject({
      kind: 'not',
      text: expect.stringContaining('after it was agreed'),
    });
    await hear(60_000);
    expect(facts.standing(DB1, 'i-1')).toMatchObject({ kind: 'counts' });
    expect(facts.text(DB1)).toMatch(/^counts: over .* after a recovery begins$/);
    expect(facts.promise(DB1, 'i-1')).toEqual(PROMISE);
  });

  test('of another contract counts from when that one was seen', async () => {
    agree();
    await hear(60_000);
    agree('1-2');
    expect(facts.standing(DB1, 'i-1').kind).toBe('not');
    await hear(60_000);
    expect(facts.standing(DB1, 'i-1').kind).toBe('counts');
  });

  test('does not count on what waited while we were stalled', async () => {
    agree();
    await hear(60_000);
    facts.noteStallEnded(clock.monotonicMs());
    expect(facts.standing(DB1, 'i-1').kind).toBe('not');
    await hear(60_000);
    expect(facts.standing(DB1, 'i-1').kind).toBe('counts');
  });

  test('does not count where a coordinator answers for longer than was agreed, or cannot be read', async () => {
    agree();
    await hear(60_000);
    put(KEYS.coordinator('c2'), coordinator('c2', 25_000));
    expect([facts.answersHoldMs(), facts.standing(DB1, 'i-1').kind]).toEqual([25_000, 'not']);
    put(KEYS.coordinator('c2'), '{');
    expect([facts.answersHoldMs(), facts.standing(DB1, 'i-1').kind]).toEqual([null, 'not']);
  });

  test('is not spoken of where nobody asks for one, or nobody is in charge', () => {
    expect(facts.text(DB1)).toBe('does not count: no serve lease is agreed with it');
    asked = null;
    expect(facts.text(DB1)).toBeNull();
    asked = {};
    expect(facts.text('prod/db2')).toBeNull();
  });
});

test('an intent is known since our view has held that very one', async () => {
  await clock.advance(1_000);
  const sinceMs = clock.monotonicMs();
  put(KEYS.intent(DB1), intentRecord(DB1, 'i-1'));
  const first = revision;
  await clock.advance(5_000);
  expect([facts.intentSeenAtMs(DB1, first), facts.intentSeenAtMs(DB1, first + 1)]).toEqual([sinceMs, null]);
  records.delete(KEYS.intent(DB1));
  facts.noteChanged([KEYS.intent(DB1)]);
  expect(facts.intentSeenAtMs(DB1, first)).toBeNull();
});
