import { CHECK_SLOT_COUNT } from '@understudy/shared';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailingChecks, TIMED_AGENTS_MAX } from './failing-checks.ts';
import { FAILING, observer, watched, WireAgent } from './observe.fixtures.ts';

const ALL_FAIL = (1 << CHECK_SLOT_COUNT) - 1;

describe('clocks of failing checks', () => {
  it('are kept for a bounded number of agents; the one after is timed as soon as there is room', () => {
    const clocks = new FailingChecks();
    for (let entry = 0; entry < TIMED_AGENTS_MAX; entry++) clocks.note(entry, 1, true, 1);
    clocks.note(TIMED_AGENTS_MAX, 1, true, 2);
    expect(clocks.count).toBe(TIMED_AGENTS_MAX);
    expect(clocks.sinceMs(TIMED_AGENTS_MAX, 0)).toBeNull();
    clocks.note(TIMED_AGENTS_MAX, 2, false, 2);
    expect([clocks.sinceMs(0, 0), clocks.sinceMs(0, 1)]).toEqual([1, null]);
    clocks.forget(5);
    clocks.note(TIMED_AGENTS_MAX, 1, true, 3);
    expect(clocks.sinceMs(TIMED_AGENTS_MAX, 0)).toBe(3);
    expect(clocks.sinceMs(5, 0)).toBeNull();
    expect(clocks.sinceMs(0, 0)).toBe(1);
  });

  it('are kept for failing agents only: however many are well, one that is not is timed', () => {
    const members = Array.from({ length: TIMED_AGENTS_MAX + 1 }, (_, i) => `db/m${i}` as const);
    const { table } = observer(members.map((member) => watched(member)));
    const agents = members.map((member) => new WireAgent(member, 'i-1'));
    for (const agent of agents) agent.greet(table, 0);
    const last = agents.at(-1);
    if (last) last.checks = FAILING;
    last?.send(table, 1_000);
    expect(table.reading(members.at(-1) ?? 'db/none', 'i-1')?.checks[1]?.failingSinceMs).toBe(1_000);
  });

  it('of one agent are its own, whoever comes and goes: as if each had an object to itself', () => {
    const step = fc.record({
      entry: fc.integer({ min: 0, max: 150 }),
      failing: fc.integer({ min: 0, max: ALL_FAIL }),
      unbroken: fc.boolean(),
    });
    const seen = exercised();
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 600, size: 'max' }), (steps) => {
        const together = new FailingChecks();
        const apart = new Map<number, FailingChecks>();
        for (const [nowMs, { entry, failing, unbroken }] of steps.entries()) {
          const own = apart.get(entry) ?? new FailingChecks();
          apart.set(entry, own);
          for (const clocks of [together, own]) {
            if (failing === 0) clocks.forget(entry);
            else clocks.note(entry, failing, unbroken, nowMs);
          }
        }
        const slots = Array.from({ length: CHECK_SLOT_COUNT }, (_, slot) => slot);
        for (const [entry, own] of apart) {
          const alone = slots.map((slot) => own.sinceMs(entry, slot));
          expect(slots.map((slot) => together.sinceMs(entry, slot))).toEqual(alone);
          for (const sinceMs of alone) seen.note(sinceMs === null ? 'passing' : 'failing');
        }
      }),
    );
    seen.atLeast({ passing: 10_000, failing: 10_000 });
  });

  it('say what looking back over all heartbeats says: the first of the newest row in which the check failed', () => {
    const seen = exercised();
    const failing = fc.oneof({ weight: 3, arbitrary: fc.constant(ALL_FAIL) }, fc.integer({ min: 1, max: ALL_FAIL }));
    const unbroken = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.boolean());
    const beat = fc.record({ failing, unbroken });
    fc.assert(
      fc.property(
        fc.array(beat, { minLength: 1, maxLength: 30, size: 'max' }),
        fc.integer({ min: 0, max: CHECK_SLOT_COUNT - 1 }),
        (beats, slot) => {
          const clocks = new FailingChecks();
          for (const [i, { failing, unbroken }] of beats.entries()) clocks.note(9, failing, unbroken, i * 1_000);
          let first: number | null = null;
          for (let i = beats.length - 1; i >= 0; i--) {
            const one = beats[i];
            if (one === undefined || (one.failing & (1 << slot)) === 0) break;
            first = i * 1_000;
            if (!one.unbroken) break;
          }
          expect(clocks.sinceMs(9, slot)).toBe(first);
          seen.note(first === null ? 'passing' : first === (beats.length - 1) * 1_000 ? 'just now' : 'for long');
        },
      ),
      { numRuns: 400 },
    );
    seen.atLeast({ passing: 10, 'just now': 40, 'for long': 150 });
  });
});
