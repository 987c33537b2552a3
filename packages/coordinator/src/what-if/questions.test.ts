import { GroupPolicySchema, monotonicMs, type WhatIfScenario } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { FleetMember } from '../judge/guard-input.ts';
import { WhatIfQuestions } from './questions.ts';
import type { WhatIfSnapshot } from './snapshot.ts';
import { snapshotFixture, ZONES } from './what-if.fixtures.ts';
import { whatIf, whatIfNow } from './what-if.ts';

const LOST: WhatIfScenario = { kind: 'zone-lost', name: ZONES[0] };
const MEMBERS = 10_000;
const COUNTS = [3_300, 3_350, 3_350] as const;

/** Each reading of `key` is counted, as it is at every question about its owner. */
function counting<T extends object, K extends keyof T & string>(owner: T, key: K, count: () => void): T {
  const value = owner[key];
  return Object.defineProperty({ ...owner }, key, { enumerable: true, get: () => (count(), value) });
}

/** What one step did at most, and all of them together. */
class Counted {
  inStep = 0;
  mostInStep = 0;
  total = 0;

  readonly count = (): void => {
    this.inStep++;
    this.total++;
  };

  endStep(): void {
    this.mostInStep = Math.max(this.mostInStep, this.inStep);
    this.inStep = 0;
  }
}

function countedSnapshot(snapshot: WhatIfSnapshot) {
  const [judged, asked, read] = [new Counted(), new Counted(), new Counted()];
  const counted: WhatIfSnapshot = {
    ...snapshot,
    subjects: snapshot.subjects.map((one) => ({
      ...one,
      evidence: counting(one.evidence, 'workload', judged.count),
      guard: counting(one.guard, 'pauses', asked.count),
    })),
    fleet: snapshot.fleet.map((one: FleetMember) => counting(one, 'failedSinceWallMs', read.count)),
  };
  return { snapshot: counted, judged, asked, read };
}

/** As whoever drives it would: from one step to the next. */
function stepped(snapshot: WhatIfSnapshot, counted: readonly Counted[]) {
  const steps = whatIf(snapshot, LOST);
  for (let count = 1; ; count++) {
    const step = steps.next(false);
    for (const one of counted) one.endStep();
    if (step.done) return { view: step.value, steps: count };
  }
}

describe('of ten thousand members', () => {
  test('a step is one member at most, and the fleet is counted once a moment, not once a member', () => {
    const { snapshot, judged, asked, read } = countedSnapshot(snapshotFixture({ counts: COUNTS }));
    const { view, steps } = stepped(snapshot, [judged, asked, read]);
    expect(view.members).toHaveLength(COUNTS[0]);
    expect(new Set(view.members.map(({ reason }) => reason))).toEqual(new Set(['MassFailure']));
    expect(asked.total).toBeGreaterThanOrEqual(COUNTS[0]);
    expect(asked.mostInStep).toBe(1);
    // The last step judges one more of each zone that is left.
    expect(judged.mostInStep).toBe(ZONES.length - 1);
    expect(judged.total).toBe(COUNTS[0] + ZONES.length - 1);
    expect(steps).toBeGreaterThan(2 * COUNTS[0]);
    // Some passes over the fleet in each of the few moments; for each member it would be 3 300.
    expect(read.mostInStep).toBeLessThan(4 * MEMBERS);
    expect(read.total).toBeLessThan(8 * MEMBERS);
  });
});

const RECOVERS = GroupPolicySchema.parse({
  guard: { whenZoneLost: 'recover', bootGraceMs: 0 },
  recover: { placements: [{ subnetId: 'subnet-b' }] },
});
const SMALL = snapshotFixture({ counts: [4, 6, 6], policy: RECOVERS });

/** A clock on which each look costs so much, and whose sleepers wake when they are told. */
function slowClock(lookMs: number) {
  let nowMs = 0;
  const sleepers: (() => void)[] = [];
  const clock = {
    monotonicMs: () => monotonicMs((nowMs += lookMs)),
    sleep: () => new Promise<void>((resolve) => void sleepers.push(resolve)),
  };
  const wake = async (): Promise<number> => {
    const waking = sleepers.splice(0);
    for (const one of waking) one();
    await Promise.resolve();
    return waking.length;
  };
  return { clock, wake };
}

async function woken<T>(wake: () => Promise<number>, answer: Promise<T>): Promise<{ readonly got: T; slept: number }> {
  let slept = 0;
  for (let some = await wake(); some > 0; some = await wake()) slept += some;
  return { got: await answer, slept };
}

test('it gives way after each slice, and answers as if it had been asked at once', async () => {
  const { clock, wake } = slowClock(8);
  const { got, slept } = await woken(
    wake,
    new WhatIfQuestions(clock).answer(() => SMALL, LOST),
  );
  expect(got).toEqual({ kind: 'view', view: whatIfNow(SMALL, LOST) });
  expect(slept).toBeGreaterThan(3);
});

test('a second question is refused while the first is answered, and taken after it', async () => {
  const { clock, wake } = slowClock(8);
  const questions = new WhatIfQuestions(clock);
  const first = questions.answer(() => SMALL, LOST);
  expect(await questions.answer(() => SMALL, LOST)).toEqual({ kind: 'busy' });
  expect((await woken(wake, first)).got.kind).toBe('view');
  expect(
    (
      await woken(
        wake,
        questions.answer(() => SMALL, { kind: 'member', name: 'g/none' }),
      )
    ).got.kind,
  ).toBe('unknown');
  expect(
    (
      await woken(
        wake,
        questions.answer(() => SMALL, LOST),
      )
    ).got.kind,
  ).toBe('view');
});

test('a question whose caller has left stops at its next slice, and makes room', async () => {
  const { clock, wake } = slowClock(8);
  const questions = new WhatIfQuestions(clock);
  const left = new AbortController();
  const first = questions.answer(() => SMALL, LOST, left.signal);
  left.abort();
  expect(await woken(wake, first)).toEqual({ got: { kind: 'left' }, slept: 1 });
  expect(
    (
      await woken(
        wake,
        questions.answer(() => SMALL, LOST),
      )
    ).got.kind,
  ).toBe('view');
});

test('at its total limit it says what was decided, and of the rest that it was not', async () => {
  for (const lookMs of [300, 4_000]) {
    const { clock, wake } = slowClock(lookMs);
    const { got } = await woken(
      wake,
      new WhatIfQuestions(clock).answer(() => SMALL, LOST),
    );
    if (got.kind !== 'view') throw new Error(got.kind);
    expect(got.view.truncated).toBe(true);
    expect(got.view.members).toHaveLength(4);
    const undecided = got.view.members.filter(({ outcome, reason }) => outcome === 'held' && reason === 'NotDecided');
    expect(undecided.length).toBeGreaterThan(0);
  }
});
