import { InvariantViolation, OperationError, type Problem, problemOf, type Term } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, expect, test } from 'vitest';
import type { LeaderJob } from './jobs/leader-job.ts';
import { LeaderLoop } from './leader-loop.ts';

/** A job as somebody may add it: counts its passes, and does what it is told. */
class CountingJob implements LeaderJob {
  readonly name = 'count';
  readonly everyMs = 2_000;
  readonly terms: number[] = [];
  begun = 0;
  found: readonly Problem[] = [];
  next: () => Promise<void> = async () => undefined;

  beginTerm(): void {
    this.begun += 1;
  }

  run(term: Term): Promise<void> {
    this.terms.push(term.number);
    return this.next();
  }

  problems(): readonly Problem[] {
    return this.found;
  }
}

let clock: SimClock;
let log: RecordingLog;
let job: CountingJob;
let view: { revision: number };
let passes: number;
let broken: unknown[];
beforeEach(() => {
  clock = new SimClock();
  log = new RecordingLog();
  job = new CountingJob();
  view = { revision: 100 };
  passes = 0;
  broken = [];
});

function lead(number: number) {
  const over = new AbortController();
  const term = { number, coordinatorId: 'c1', signal: over.signal } as unknown as Term;
  const decisions = { beginTerm: () => undefined, run: () => void (passes += 1), settled: async () => undefined };
  const parts = { view, decisions, jobs: [job], clock, log, tickMs: 250 };
  const work = new LeaderLoop(parts, term, (error) => broken.push(error));
  let ended = false;
  const running = work.run().then(() => {
    ended = true;
  });
  return { work, running, isOver: () => ended, endTerm: () => over.abort(new OperationError('LEASE_LOST', 'over')) };
}

test('a job runs under the term at its own pace, beside the decisions, and ends with it', async () => {
  const { isOver, endTerm } = lead(7);
  await clock.advance(5_000);
  expect([job.begun, job.terms]).toEqual([1, [7, 7, 7]]);
  expect(passes).toBe(21);
  expect(isOver()).toBe(false);
  endTerm();
  await clock.advance(10_000);
  expect([isOver(), job.terms.length, passes]).toEqual([true, 3, 21]);
});

test('the next term begins it anew, and never beside the last one', async () => {
  let release: () => void = () => undefined;
  job.next = () => new Promise((resolve) => (release = resolve));
  const first = lead(7);
  await clock.advance(100);
  first.endTerm();
  await clock.advance(10_000);
  expect(first.isOver()).toBe(false);
  release();
  await clock.advance(1);
  expect(first.isOver()).toBe(true);
  job.next = async () => undefined;
  lead(9);
  await clock.advance(100);
  expect([job.begun, job.terms]).toEqual([2, [7, 9]]);
});

test('nothing runs before the view has reached our own election', async () => {
  view.revision = 6;
  lead(7);
  await clock.advance(10_000);
  expect([job.begun, job.terms, passes]).toEqual([1, [], 0]);
  view.revision = 7;
  await clock.advance(100);
  expect([job.terms, passes]).toEqual([[7], 1]);
});

test('a term that ends before that began nothing', async () => {
  view.revision = 6;
  const { isOver, endTerm } = lead(7);
  endTerm();
  await clock.advance(100);
  expect([isOver(), job.terms]).toEqual([true, []]);
});

test('a pass that fails is on show and told once, and over when a pass works again', async () => {
  job.next = () => Promise.reject(new OperationError('STORE_UNAVAILABLE', 'etcd is gone'));
  const { work } = lead(7);
  await clock.advance(4_100);
  const [problem, ...others] = work.problems();
  expect([problem?.code, problem?.text, others]).toEqual([
    'STORE_UNAVAILABLE',
    expect.stringContaining('count: STORE_UNAVAILABLE: etcd is gone'),
    [],
  ]);
  expect(job.terms).toHaveLength(3);
  job.next = async () => undefined;
  await clock.advance(2_000);
  expect(work.problems()).toEqual([]);
  const told = log.lines.map(({ event, fields }) => [event, fields?.loop]);
  expect(told).toEqual([
    ['leader.loop_failed', 'count'],
    ['leader.loop_failed.over', undefined],
  ]);
});

test('what a job found to be wrong is on show beside what failed', async () => {
  job.found = [problemOf('CLOUD_UNAVAILABLE', 'EC2 in az-a: no answer')];
  const { work } = lead(7);
  await clock.advance(100);
  expect(work.problems()).toEqual(job.found);
});

test('a failure without a code waits longer before the next pass', async () => {
  job.next = () => Promise.reject(new TypeError('a bug'));
  const { work } = lead(7);
  await clock.advance(6_900);
  expect([job.terms.length, work.problems()[0]?.code]).toEqual([1, 'INTERNAL_ERROR']);
  await clock.advance(200);
  expect(job.terms).toHaveLength(2);
});

test('a lost lease is no failure, and a broken invariant ends the process', async () => {
  job.next = () => Promise.reject(new OperationError('LEASE_LOST', 'over'));
  const { work } = lead(7);
  await clock.advance(100);
  expect([work.problems(), broken, log.lines]).toEqual([[], [], []]);
  job.next = () => Promise.reject(new InvariantViolation('cannot be'));
  await clock.advance(2_000);
  expect([work.problems(), broken]).toEqual([[], [expect.any(InvariantViolation)]]);
});
