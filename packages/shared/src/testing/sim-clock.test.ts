import { describe, expect, it } from 'vitest';
import type { Timer } from '../ports/clock.ts';
import { SimClock } from './sim-clock.ts';

describe('SimClock', () => {
  it('stands still until told', async () => {
    const clock = new SimClock();
    let fired = false;
    clock.setTimer(1, () => {
      fired = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([fired, clock.monotonicMs()]).toEqual([false, 0]);
  });

  it('fires timers in the order of their due times, then of their making', async () => {
    const clock = new SimClock();
    const fired: string[] = [];
    for (const [name, delayMs] of [
      ['c', 20],
      ['a', 10],
      ['d', 20],
      ['b', 10],
      ['z', -5],
    ] as const) {
      clock.setTimer(delayMs, () => fired.push(`${name}@${clock.monotonicMs()}`));
    }
    await clock.advance(20);
    expect(fired).toEqual(['z@0', 'a@10', 'b@10', 'c@20', 'd@20']);
  });

  it('fires what a timer sets within the same stretch, and not what lies beyond it', async () => {
    const clock = new SimClock();
    const fired: number[] = [];
    const again = () => {
      fired.push(clock.monotonicMs());
      clock.setTimer(10, again);
    };
    clock.setTimer(10, again);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
    expect([clock.monotonicMs(), clock.pendingCount]).toEqual([35, 1]);
  });

  it('lets promises go on between two timers', async () => {
    const clock = new SimClock();
    const seen: string[] = [];
    const worker = async () => {
      await clock.sleep(10);
      await Promise.resolve();
      seen.push(`worker@${clock.monotonicMs()}`);
    };
    void worker();
    clock.setTimer(11, () => seen.push('timer@11'));
    await clock.advance(20);
    expect(seen).toEqual(['worker@10', 'timer@11']);
  });

  it('does not fire a cancelled timer, not even one cancelled by its neighbour', async () => {
    const clock = new SimClock();
    const fired: string[] = [];
    const own = clock.setTimer(5, () => fired.push('own'));
    own.cancel();
    own.cancel();
    const neighbours: Timer[] = [];
    clock.setTimer(5, () => neighbours[0]?.cancel());
    neighbours.push(clock.setTimer(5, () => fired.push('neighbour')));
    await clock.advance(10);
    expect([fired, clock.pendingCount]).toEqual([[], 0]);
  });

  it('ends a sleep with the reason of its abort, and leaves no timer behind', async () => {
    const clock = new SimClock();
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = clock.sleep(1_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.sleep(1, controller.signal)).rejects.toBe(reason);
    expect(clock.pendingCount).toBe(0);
  });

  it('steps the wall clock without touching the monotonic one', async () => {
    const clock = new SimClock({ wallStartMs: 1_000_000 });
    await clock.advance(500);
    clock.stepWall(-3_600_000);
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([500, 1_000_500 - 3_600_000]);
  });

  it('runs until the work is finished, and tells its result or its error', async () => {
    const clock = new SimClock();
    expect(await clock.runUntilSettled(clock.sleep(90_000).then(() => clock.monotonicMs()))).toBe(90_000);
    const failing = clock.sleep(5).then(() => Promise.reject(new Error('boom')));
    await expect(clock.runUntilSettled(failing)).rejects.toThrow('boom');
  });

  it('says so when the work waits for nothing that is scheduled, or for too long', async () => {
    const clock = new SimClock();
    await expect(clock.runUntilSettled(new Promise(() => undefined))).rejects.toThrow('deadlock');
    await expect(clock.runUntilSettled(clock.sleep(101), 100)).rejects.toThrow('not finished within 100 ms');
  });
});
