import { InvariantViolation, monotonicMs, type Term } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, expect, test } from 'vitest';
import type { BeginOutcome } from './begin-outcome.ts';
import { DecisionPass, type DecisionPassOptions } from './decision-pass.ts';
import type { Judgement } from './assessor.ts';
import { TermTasks } from './term-tasks.ts';

const term = { number: 3, signal: new AbortController().signal } as unknown as Term;
const chosen = { member: 'prod/db1', instanceId: 'i-1' } as unknown as Judgement;

let clock: SimClock;
let room: number[];
let choice: readonly Judgement[];
let ended: BeginOutcome[];
let begin: () => Promise<BeginOutcome>;
let fresh: boolean;
let resumed: number;
let tasks: TermTasks;
let pass: DecisionPass;
beforeEach(() => {
  clock = new SimClock();
  room = [];
  choice = [chosen];
  ended = [];
  begin = async () => ({ kind: 'begun', revision: 9 });
  fresh = true;
  resumed = 0;
  tasks = new TermTasks({ clock, log: new RecordingLog(), onBroken: () => undefined }, term);
  const decider = {
    pass: (free: number) => {
      room.push(free);
      return choice;
    },
    ended: (_: string, outcome: BeginOutcome) => ended.push(outcome),
  };
  pass = new DecisionPass({
    view: { isFresh: () => fresh, isBlocked: () => false, records: {} },
    assessor: { pass: () => [], all: new Map() },
    preparation: { pass: () => undefined, beginTerm: () => undefined },
    preparations: { pass: () => undefined, beginTerm: () => undefined },
    decider,
    evidence: {},
    runs: { sync: () => void (resumed += 1) },
    writer: { run: () => begin() },
  } as unknown as DecisionPassOptions);
});

async function run(): Promise<void> {
  pass.run(term, tasks);
  await clock.runUntilSettled(pass.settled());
}

test('what became of a choice is handed back to whoever made it', async () => {
  await run();
  begin = async () => ({ kind: 'refused', hold: null, againAtMs: monotonicMs(5) });
  await run();
  expect(ended).toEqual([
    { kind: 'begun', revision: 9 },
    { kind: 'refused', hold: null, againAtMs: 5 },
  ]);
});

test('a choice whose beginning fails is not counted as begun any more', async () => {
  begin = () => Promise.reject(new InvariantViolation('cannot be'));
  await run();
  expect(ended).toEqual([{ kind: 'moot' }]);
});

test('what is being begun takes its room until it is settled', async () => {
  let release: () => void = () => undefined;
  begin = () => new Promise((resolve) => (release = () => resolve({ kind: 'begun', revision: 9 })));
  pass.run(term, tasks);
  choice = [];
  pass.run(term, tasks);
  expect([room, ended]).toEqual([[8, 7], []]);
  release();
  await run();
  expect([room, ended.length]).toEqual([[8, 7, 7], 1]);
});

test('on a view that is not fresh recoveries are resumed, and nobody is chosen', async () => {
  fresh = false;
  await run();
  expect([resumed, room]).toEqual([1, []]);
});
