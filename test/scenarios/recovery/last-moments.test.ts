import type { Cloud, CloudCallOptions, LeaderTerm, Term } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { RecoveryFixture, type Wrapping } from './recovery-fixture.ts';

/**
 * S1: nothing is sent by a term that does not hold for as long as a call may take, whichever moment
 * it is asked at.
 */

interface Entered {
  readonly name: string;
  /** Did the term hold long enough when the engine entered the call? */
  readonly held: boolean;
  readonly mayStart: CloudCallOptions['mayStart'];
}

const isRead = (name: string) => name.startsWith('describe');

/**
 * Notes every mutating call at the moment the engine enters it, before the adapter can refuse it.
 */
function watched(holds: () => boolean, entered: Entered[]): Wrapping {
  return {
    cloud: (cloud: Cloud) =>
      new Proxy(cloud, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function' || typeof name !== 'string') return method;
          if (isRead(name)) return method.bind(target);
          return (...args: unknown[]) => {
            const { mayStart } = args.at(-1) as CloudCallOptions;
            entered.push({ name, held: holds(), mayStart });
            return Reflect.apply(method, target, args);
          };
        },
      }),
  };
}

/** The term as the engine sees it; `leftMs` is for the test to move. */
function tired(term: LeaderTerm, leftMs: () => number): Term {
  return {
    number: term.number,
    coordinatorId: term.coordinatorId,
    signal: term.signal,
    holdsFor: (neededMs) => leftMs() > neededMs,
    remainingMs: leftMs,
    commit: (write) => term.commit(write),
    remove: (deletes) => term.remove(deletes),
  };
}

async function begun(leftMs: (scene: RecoveryFixture) => number) {
  const scene = new RecoveryFixture();
  const old = scene.seedMember();
  await scene.begin(old);
  const entered: Entered[] = [];
  const left = () => leftMs(scene);
  const leader = scene.lead(watched(() => left() > 5_000, entered));
  return { scene, old, leader, entered, term: tired(leader.term, left) };
}

describe('a term that is renewed late, again and again', () => {
  test('no call is entered while it does not hold for one; the recovery gets through all the same', async () => {
    const { scene, old, leader, entered, term } = await begun((world) =>
      world.clock.monotonicMs() % 7_000 < 3_500 ? 4_000 : 8_000,
    );
    expect(await scene.run(leader, scene.intent(), term), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
    expect(entered.length).toBeGreaterThan(8);
    expect(entered.filter((one) => !one.held)).toEqual([]);
  });

  test('one that never holds again sends nothing, however long it lasts', async () => {
    const { scene, old, leader, entered, term } = await begun(() => 4_999);
    scene.clock.setTimer(600_000, () => leader.endTerm());
    expect(await scene.run(leader, scene.intent(), term)).toBe('parked');
    expect(entered).toEqual([]);
    expect(scene.sim.log.calls('StopInstances')).toEqual([]);
    checkSafety(scene, old);
  });
});

describe('a pause between the guarded write and the call', () => {
  /**
   * The deadline passes while the write of what is about to be sent is under way: the check before
   * it is of no use.
   */
  test('the call is not entered: the term is asked after the write, not before', async () => {
    let leftMs = 8_000;
    const { scene, leader, entered, term } = await begun(() => leftMs);
    const paused: Term = {
      ...term,
      signal: term.signal,
      commit: async (write) => {
        const outcome = await term.commit(write);
        leftMs = 1_000;
        return outcome;
      },
    };
    scene.clock.setTimer(60_000, () => leader.endTerm());
    expect(await scene.run(leader, scene.intent(), paused)).toBe('parked');
    expect(entered).toEqual([]);
  });
});

describe('a pause right after the answer that the term holds', () => {
  test('the call is not entered on that answer: it is asked again, with nothing in between', async () => {
    let leftMs = 8_000;
    const { scene, old, leader, entered, term } = await begun(() => leftMs);
    let pauses = 0;
    const paused: Term = {
      ...term,
      signal: term.signal,
      holdsFor: (neededMs) => {
        const holds = leftMs > neededMs;
        if (holds && pauses === 0) {
          pauses += 1;
          leftMs = 1_000;
          scene.clock.setTimer(2_000, () => {
            leftMs = 8_000;
          });
        }
        return holds;
      },
    };
    expect(await scene.run(leader, scene.intent(), paused), JSON.stringify(scene.hold())).toBe('finished');
    expect([pauses, entered.length > 8]).toEqual([1, true]);
    expect(entered.filter((one) => !one.held)).toEqual([]);
    checkFinished(scene, old);
  });
});

describe('a call that waits for its turn', () => {
  test('is asked for the term again by whoever sends it: every mutating call carries the question', async () => {
    let leftMs = 8_000;
    const { scene, leader, entered, term } = await begun(() => leftMs);
    expect(await scene.run(leader, scene.intent(), term)).toBe('finished');
    expect(new Set(entered.map((one) => one.name)).size).toBeGreaterThan(6);
    expect(entered.every((one) => one.mayStart?.() === true)).toBe(true);
    leftMs = 5_000;
    expect(entered.filter((one) => one.mayStart?.() !== false).map((one) => one.name)).toEqual([]);
  });
});
