import { InvariantViolation, keyspace, type MemberId, monotonicMs, type Term } from '@understudy/shared';
import { entryOf, holdRecord, intentRecord, RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { OpenIntent } from '@understudy/recovery/testing';
import type { RecoveryRunner, RecoveryRunOutcome } from '@understudy/recovery';
import { ClusterRecords } from '../store/cluster-records.ts';
import { RecoveryRuns } from './runs.ts';

const keys = keyspace();
const DB1: MemberId = 'prod/db1';
const everybody = () => true;
let clock: SimClock;
let records: ClusterRecords;
let runs: RecoveryRuns;
let started: {
  readonly opId: string;
  readonly term: number;
  readonly end: (outcome: RecoveryRunOutcome | Error) => void;
}[];
let broken: unknown[];

const termOf = (number: number): Term => ({
  number,
  coordinatorId: 'c1',
  signal: new AbortController().signal,
  holdsFor: () => true,
  remainingMs: () => 1_000,
  commit: () => Promise.resolve({ kind: 'committed', revision: 1 }),
  remove: () => Promise.resolve({ kind: 'committed', revision: 1 }),
});
const intend = (member: MemberId, instanceId: string, startedAtWallMs = 1) =>
  records.put(entryOf(keys.intent(member), intentRecord(member, instanceId, { startedAtWallMs }), 5));
const opIdsStarted = () => started.map((one) => one.opId);

/** Told to try at once, while they run. */
let hurried: string[];

beforeEach(() => {
  clock = new SimClock();
  records = new ClusterRecords(keys.root);
  started = [];
  broken = [];
  hurried = [];
  const runner: RecoveryRunner = {
    run: (intent: OpenIntent, term: Term) =>
      new Promise((resolve, reject) => {
        const end = (outcome: RecoveryRunOutcome | Error) =>
          outcome instanceof Error ? reject(outcome) : resolve(outcome);
        started.push({ opId: intent.record.opId, term: term.number, end });
      }),
    activity: () => null,
    retryNow: (opId) => hurried.push(opId),
  };
  runs = new RecoveryRuns({
    runner,
    clock,
    log: new RecordingLog(),
    runsMax: 2,
    retryHeldEveryMs: 30_000,
    onEnded: () => undefined,
    onBroken: (error) => broken.push(error),
  });
});
const end = async (index: number, outcome: RecoveryRunOutcome | Error) => {
  started[index]?.end(outcome);
  await clock.advance(0);
};

describe('which recoveries this process works on', () => {
  test('an open intent is run once, however often it is looked at', () => {
    intend(DB1, 'i-1');
    for (let i = 0; i < 3; i++) runs.sync(termOf(1), records, everybody);
    expect(started).toHaveLength(1);
    expect(runs.isRunning(started[0]?.opId ?? '')).toBe(true);
  });

  test('a member whose records cannot be read is not run until they can', () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, () => false);
    expect(started).toHaveLength(0);
    runs.sync(termOf(1), records, everybody);
    expect(started).toHaveLength(1);
  });

  test('at most runsMax at a time, in the order they were begun', async () => {
    intend('prod/c', 'i-c', 30);
    intend('prod/a', 'i-a', 10);
    intend('prod/b', 'i-b', 20);
    runs.sync(termOf(1), records, everybody);
    const [a, b] = [intentRecord('prod/a', 'i-a').opId, intentRecord('prod/b', 'i-b').opId];
    expect(opIdsStarted()).toEqual([a, b]);
    await end(0, 'finished');
    records.delete(keys.intent('prod/a'));
    runs.sync(termOf(1), records, everybody);
    expect(opIdsStarted()).toEqual([a, b, intentRecord('prod/c', 'i-c').opId]);
  });

  test('a held one is tried again after retryHeldEveryMs', async () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, everybody);
    await end(0, 'held');
    await clock.advance(29_000);
    runs.sync(termOf(1), records, everybody);
    expect(started).toHaveLength(1);
    await clock.advance(1_000);
    runs.sync(termOf(1), records, everybody);
    expect(started).toHaveLength(2);
  });

  test('a held one is tried again at once when a person removes its hold', async () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, everybody);
    await end(0, 'held');
    runs.sync(termOf(1), records, everybody);
    records.put(entryOf(keys.hold(DB1), holdRecord(DB1, { opId: started[0]?.opId ?? '' }), 7));
    runs.sync(termOf(1), records, everybody);
    expect(started).toHaveLength(1);
    records.delete(keys.hold(DB1));
    runs.sync(termOf(1), records, everybody);
    expect(started).toHaveLength(2);
  });

  test('one that runs and shows a hold is told to try at once when a person removes it, and only then', () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, everybody);
    const opId = started[0]?.opId ?? '';
    runs.sync(termOf(1), records, everybody);
    records.put(entryOf(keys.hold(DB1), holdRecord(DB1, { opId }), 7));
    runs.sync(termOf(1), records, everybody);
    expect(hurried).toEqual([]);
    records.delete(keys.hold(DB1));
    for (let i = 0; i < 3; i++) runs.sync(termOf(1), records, everybody);
    expect(hurried).toEqual([opId]);
    expect(started).toHaveLength(1);
  });

  test('a parked one is tried again soon, then ever later', async () => {
    intend(DB1, 'i-1');
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const fromMs = clock.monotonicMs();
      runs.sync(termOf(1), records, everybody);
      while (started.length <= i) {
        await clock.advance(100);
        runs.sync(termOf(1), records, everybody);
      }
      waits.push(clock.monotonicMs() - fromMs);
      await end(i, 'parked');
    }
    expect(waits).toEqual([0, 500, 1_000, 2_000]);
  });

  test('a new term waits for the run of the old one, and does not inherit its waiting', async () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, everybody);
    runs.beginTerm();
    runs.sync(termOf(2), records, everybody);
    expect(started).toHaveLength(1);
    await end(0, 'held');
    runs.beginTerm();
    runs.sync(termOf(2), records, everybody);
    expect(started.map((one) => one.term)).toEqual([1, 2]);
  });

  test('a broken invariant is reported, another error only parks', async () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, everybody);
    await end(0, new Error('odd'));
    expect(broken).toEqual([]);
    await clock.advance(monotonicMs(1_000));
    runs.sync(termOf(1), records, everybody);
    await end(1, new InvariantViolation('1 != 2'));
    expect(broken).toHaveLength(1);
  });

  test('drain resolves when the last run ended', async () => {
    intend(DB1, 'i-1');
    runs.sync(termOf(1), records, everybody);
    let drained = false;
    const draining = runs.drain().then(() => (drained = true));
    await clock.advance(0);
    expect(drained).toBe(false);
    await end(0, 'parked');
    await draining;
    expect(runs.runningCount).toBe(0);
  });
});
