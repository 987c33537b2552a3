import { describe, expect, test } from 'vitest';
import { ProcessClock } from './process-clock.ts';
import { SimKernel } from './sim-kernel.ts';

describe('the kernel', () => {
  test('lets events happen in order of time, then of asking', async () => {
    const kernel = new SimKernel();
    const seen: string[] = [];
    kernel.setTimer(20, () => seen.push('late'));
    kernel.setTimer(10, () => seen.push('first'));
    kernel.setTimer(10, () => seen.push('second'));
    kernel.setTimer(10, () => seen.push('cancelled')).cancel();
    await kernel.runUntil(100);
    expect(seen).toEqual(['first', 'second', 'late']);
    expect(kernel.monotonicMs()).toBe(100);
  });

  test('drains every promise, and those they make, before time moves on', async () => {
    const kernel = new SimKernel();
    const seen: string[] = [];
    kernel.setTimer(1, () => {
      void (async () => {
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
        seen.push(`drained at ${kernel.monotonicMs()}`);
      })();
    });
    kernel.setTimer(2, () => seen.push('next'));
    await kernel.runUntil(10);
    expect(seen).toEqual(['drained at 1', 'next']);
  });

  test('ends when told, at that event', async () => {
    const kernel = new SimKernel();
    let count = 0;
    const tick = () => {
      count += 1;
      kernel.setTimer(1, tick);
    };
    tick();
    await kernel.runUntil(1_000, () => count === 5);
    expect(count).toBe(5);
  });

  test('goes on until work is done, and no further; work that takes too long is an error', async () => {
    const kernel = new SimKernel();
    expect(await kernel.runUntilSettled(kernel.sleep(30).then(() => 'slept'))).toBe('slept');
    expect(kernel.monotonicMs()).toBe(30);
    await expect(kernel.runUntilSettled(kernel.sleep(200), 100)).rejects.toThrow('not finished within 100 ms');
    await expect(kernel.runUntilSettled(Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  });

  test('looks at a fact every 100 ms, says how long it took, and names one that does not come', async () => {
    const kernel = new SimKernel();
    let arrived = false;
    kernel.setTimer(250, () => {
      arrived = true;
    });
    expect(await kernel.until('it arrived', () => arrived)).toBe(300);
    await expect(kernel.until('pigs fly', () => false, 1_000)).rejects.toThrow('not within 1000 ms: pigs fly');
  });
});

describe('the clock of a process', () => {
  test('holds everything back while the process is paused, and nothing is lost', async () => {
    const kernel = new SimKernel();
    const clock = new ProcessClock(kernel);
    const seen: string[] = [];
    clock.setTimer(10, () => seen.push(`timer at ${clock.monotonicMs()}`));
    kernel.setTimer(5, () => clock.pause());
    kernel.setTimer(7, () => clock.post(() => seen.push(`datagram at ${clock.monotonicMs()}`)));
    kernel.setTimer(50, () => clock.resume());
    await kernel.runUntil(100);
    expect(seen).toEqual(['datagram at 50', 'timer at 50']);
    expect(clock.lastPause).toEqual({ forMs: 45, endedAtMs: 50 });
    expect(clock.heldBackCount).toBe(2);
  });

  test('runs nothing any more once the process has ended', async () => {
    const kernel = new SimKernel();
    const clock = new ProcessClock(kernel);
    let ran = false;
    clock.setTimer(10, () => {
      ran = true;
    });
    clock.end();
    clock.post(() => {
      ran = true;
    });
    await kernel.runUntil(100);
    expect(ran).toBe(false);
  });

  test('may run fast: its timers come early for everybody else', async () => {
    const kernel = new SimKernel();
    const clock = new ProcessClock(kernel);
    clock.setRate(2);
    let atMs = 0;
    clock.setTimer(100, () => {
      atMs = kernel.monotonicMs();
    });
    await kernel.runUntil(200);
    expect(atMs).toBe(50);
    expect(clock.monotonicMs()).toBe(400);
  });

  test('pauses with the machine it runs on', async () => {
    const kernel = new SimKernel();
    const machine = new ProcessClock(kernel);
    const clock = new ProcessClock(machine);
    const seen: number[] = [];
    clock.setTimer(10, () => seen.push(kernel.monotonicMs()));
    machine.pause();
    clock.post(() => seen.push(kernel.monotonicMs()));
    kernel.setTimer(30, () => machine.resume());
    await kernel.runUntil(100);
    expect(seen).toEqual([30, 30]);
  });
});
