import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { agentFixture, running } from './agent.fixtures.ts';
import type { Watchdog } from './watchdog-keeper.ts';

describe('serve lease of 20 s', () => {
  const config = { serve: { leaseMs: 20_000 } };

  it('no ack for that long ends serving, counted from the last answered heartbeat', async () => {
    const { clock, network, outputs, c1, stop } = await running({ active: true, holdsForMs: 20_000, config }, 5_000);
    expect(outputs.serving).toBe(true);
    network.cut('*', '10.0.9.9');
    const lastSequence = c1.last?.sequence ?? 0n;
    await clock.advance(17_800);
    expect(outputs.serving).toBe(true);
    await clock.advance(2_300);
    expect(outputs.serving).toBe(false);
    expect(c1.last?.sequence ?? 0n).toBeGreaterThan(lastSequence);
    network.heal('*', '10.0.9.9');
    await clock.advance(1_500);
    expect(outputs.serving).toBe(true);
    await stop();
  });

  it('acks of coordinators without a live leader do not renew it', async () => {
    const { clock, coordinators, outputs, stop } = await running({ active: true, holdsForMs: 20_000, config }, 5_000);
    for (const coordinator of coordinators)
      coordinator.reply = { activation: 'active', holdsForMs: 20_000, leaderLive: false };
    await clock.advance(21_000);
    expect(outputs.serving).toBe(false);
    await stop();
  });

  it('one coordinator that acks one heartbeat in five keeps it', async () => {
    const { c1, c2, c3, clock, outputs, stop } = await running({ active: true, holdsForMs: 20_000, config }, 5_000);
    c1.ackAll = false;
    for (const coordinator of [c2, c3]) coordinator.reply = null;
    await clock.advance(120_000);
    expect(outputs.hooks).toEqual(['standby', 'active']);
    await stop();
  });

  it('an answer that does not say how long it holds carries no lease, and starts nothing', async () => {
    const { outputs, stop } = await running({ active: true, holdsForMs: 0, config }, 5_000);
    expect(outputs.serving).toBe(false);
    await stop();
  });

  it('is promised in every heartbeat, rounded up, and not without one', async () => {
    const kept = await running({ config: { serve: { leaseMs: 20_000, stopWithinMs: 40_500 } } }, 1_500);
    expect(kept.c1.last?.servePromise).toEqual({ stopWithinSeconds: 41, watchdog: false });
    await kept.stop();
    const none = await running({}, 10);
    expect(none.c1.last?.servePromise).toBeNull();
    await none.stop();
  });

  it('is not promised while it is unknown whether a predecessor left the workload serving', async () => {
    const fixture = agentFixture({ config });
    fixture.outputs.hookGate = new Promise(() => undefined);
    const { done } = fixture.start();
    await fixture.clock.advance(5_000);
    expect(fixture.coordinators[0]?.last?.servePromise).toBeNull();
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('after a suspension neither what was said before nor an answer to what was asked before brings it back', async () => {
    const { c1, clock, machine, outputs, coordinators, stop } = await running(
      { active: true, holdsForMs: 20_000, config },
      5_000,
    );
    for (const coordinator of coordinators) coordinator.reply = null;
    const [asked, from] = [c1.last, c1.lastFrom];
    if (!asked || !from) throw new Error('no heartbeat');
    machine.sleptMs = 3_600_000;
    await c1.socket.send(c1.ackFor(asked, { activation: 'active', holdsForMs: 20_000 }), from);
    for (const coordinator of coordinators) coordinator.reply = { activation: 'unknown' };
    await clock.advance(10_000);
    expect(outputs.hooks).toEqual(['standby', 'active', 'standby']);
    for (const coordinator of coordinators) coordinator.reply = { activation: 'active', holdsForMs: 20_000 };
    await clock.advance(2_000);
    expect(outputs.serving).toBe(true);
    await stop();
  });

  it('ends when the machine was suspended for a moment, which the monotonic clock does not count', async () => {
    const { clock, machine, outputs, coordinators, stop } = await running(
      { active: true, holdsForMs: 20_000, config },
      5_000,
    );
    for (const coordinator of coordinators) coordinator.reply = null;
    machine.sleptMs = 5_000;
    await clock.advance(1_200);
    expect(outputs.serving).toBe(false);
    await stop();
  });

  it('policy poweroff withdraws first and then switches off', async () => {
    const off = { serve: { leaseMs: 20_000, onExpiry: 'poweroff' } };
    const { clock, network, outputs, stop } = await running({ active: true, holdsForMs: 20_000, config: off }, 5_000);
    network.cut('*', '10.0.9.9');
    await clock.advance(20_500);
    expect([outputs.serving, outputs.powerOffs]).toEqual([false, 1]);
    await stop();
  });

  it('policy poweroff does not wait for a hook that hangs longer than half of what is left', async () => {
    const off = { serve: { leaseMs: 20_000, stopWithinMs: 40_000, onExpiry: 'poweroff' } };
    const { clock, network, outputs } = await running({ active: true, holdsForMs: 20_000, config: off }, 5_000);
    network.cut('*', '10.0.9.9');
    outputs.hookGate = new Promise(() => undefined);
    await clock.advance(38_000);
    expect(outputs.powerOffs).toBe(0);
    await clock.advance(3_000);
    expect([outputs.serving, outputs.powerOffs]).toEqual([true, 1]);
  });
});

/**
 * A watchdog on the simulated clock. It resets the machine when it was not petted for `timeoutMs`.
 */
class TestWatchdog implements Watchdog {
  readonly #clock: SimClock;
  readonly #timeoutMs: number;
  #pettedAtMs: number | null = null;
  arms = 0;

  constructor(clock: SimClock, timeoutMs = 10_000) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  arm(limitMs: number) {
    if (this.#timeoutMs > limitMs) return { kind: 'not-armed', detail: 'too long' } as const;
    this.arms++;
    this.pet();
    return { kind: 'armed' } as const;
  }
  pet(): void {
    this.#pettedAtMs = this.#clock.monotonicMs();
  }
  disarm(): void {
    this.#pettedAtMs = null;
  }
  get isArmed(): boolean {
    return this.#pettedAtMs !== null;
  }
  get wouldHaveReset(): boolean {
    return this.#pettedAtMs !== null && this.#clock.monotonicMs() - this.#pettedAtMs > this.#timeoutMs;
  }
}

describe('serve lease of 20 s with a watchdog of 10 s', () => {
  const serve = { leaseMs: 20_000, stopWithinMs: 60_000, watchdog: { timeoutMs: 10_000 } };
  const guarded = async (timeoutMs = 10_000, ms = 8_000) => {
    const clock = new SimClock();
    const watchdog = new TestWatchdog(clock, timeoutMs);
    const config = { serve, activation: { onActivate: ['on'], onDeactivate: ['off'], timeoutMs: 20_000 } };
    const fixture = await running({ active: true, holdsForMs: 20_000, config, clock, watchdog }, ms);
    return { ...fixture, watchdog };
  };

  it('is armed as soon as a lease holds or nothing serves, and promised from then on', async () => {
    const { watchdog, c1, outputs, stop } = await guarded();
    expect(watchdog.arms).toBe(1);
    expect(c1.heard[0]?.servePromise?.watchdog).toBe(false);
    expect(c1.last?.servePromise).toEqual({ stopWithinSeconds: 60, watchdog: true });
    expect(outputs.serving).toBe(true);
    await stop();
    expect(watchdog.isArmed).toBe(false);
  });

  it('one that waits longer than was promised is not promised', async () => {
    const { watchdog, c1, log, stop } = await guarded(10_001);
    expect(c1.last?.servePromise?.watchdog).toBe(false);
    expect(log.events()).toContain('watchdog.not-armed');
    expect(watchdog.isArmed).toBe(false);
    await stop();
  });

  it('is petted while the lease holds, and after a workload was withdrawn in time', async () => {
    const { watchdog, clock, network, outputs, stop } = await guarded();
    await clock.advance(60_000);
    network.cut('*', '10.0.9.9');
    for (let s = 0; s < 90; s++) {
      await clock.advance(1_000);
      expect(watchdog.wouldHaveReset).toBe(false);
    }
    expect(outputs.serving).toBe(false);
    await stop();
  });

  it('resets the machine when the workload does not stop: within stopWithinMs of the end of the lease', async () => {
    const { watchdog, clock, network, outputs, log } = await guarded();
    network.cut('*', '10.0.9.9');
    outputs.hookGate = new Promise(() => undefined);
    await clock.advance(20_000 + 28_000);
    expect(watchdog.wouldHaveReset).toBe(false);
    await clock.advance(12_500);
    expect(watchdog.wouldHaveReset).toBe(true);
    expect(log.events()).toContain('watchdog.starving');
  });

  it('a hook that hangs although the instance was fenced ends the same way', async () => {
    const { watchdog, clock, coordinators, outputs } = await guarded();
    outputs.hookGate = new Promise(() => undefined);
    for (const coordinator of coordinators) coordinator.reply = { activation: 'fenced', incarnation: 2 };
    await clock.advance(42_000);
    expect(watchdog.wouldHaveReset).toBe(true);
  });

  it('is left armed by an agent that stops without having withdrawn the workload', async () => {
    const { watchdog, clock, outputs, agent, done } = await guarded();
    outputs.hookGate = new Promise(() => undefined);
    agent.stop();
    await clock.runUntilSettled(done);
    expect(watchdog.isArmed).toBe(true);
  });
});
