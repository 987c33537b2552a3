import { RecordingLog, SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ActivationApplier, type WantedActivation } from './activation-applier.ts';
import { TestOutputs } from './agent.fixtures.ts';
import { type Watchdog, WatchdogKeeper } from './watchdog-keeper.ts';

const wanted = (state: WantedActivation['state']): WantedActivation => ({ state, incarnation: 1, instanceId: 'i-1' });

function telling() {
  const clock = new SimClock();
  const outputs = new TestOutputs();
  const log = new RecordingLog();
  const parts = { outputs, clock, random: new SeededRandom(1), log };
  return {
    clock,
    outputs,
    log,
    applier: new ActivationApplier({ powerOffWhenStuck: true, ...parts }),
  };
}

describe('an activation file that cannot be written', () => {
  const broken = (outputs: TestOutputs) => {
    outputs.writeFile = async () => {
      throw new Error('planted: no space left');
    };
  };

  it.each(['standby', 'fenced'] as const)('is removed where it should say %s: absent says the same', async (state) => {
    const { clock, outputs, applier } = telling();
    broken(outputs);
    applier.want(wanted(state));
    await clock.advance(3_000);
    expect(outputs.files).toContain('removed');
    expect(outputs.hooks).toEqual([state]);
    expect(applier.reading().status).toBe('warn');
  });

  it('is left where it should say active, and the workload is told all the same, two seconds later', async () => {
    const { clock, outputs, applier } = telling();
    broken(outputs);
    applier.want(wanted('active'));
    await clock.advance(3_000);
    expect(outputs.files).toEqual([]);
    expect(outputs.hooks).toEqual(['active']);
    expect(applier.reading().status).toBe('warn');
  });

  it('is a warning of its own, and so is a hook that fails; neither is none', async () => {
    const { clock, outputs, applier } = telling();
    applier.want(wanted('standby'));
    await clock.advance(10);
    expect(applier.reading()).toMatchObject({ status: 'pass', code: 0 });
    outputs.hookFailures = 1;
    applier.want(wanted('active'));
    await clock.advance(10);
    expect(applier.reading().status).toBe('warn');
  });
});

describe('the wanted state', () => {
  it('is in force when both file and commands have it, not before', async () => {
    for (const late of ['file', 'hook'] as const) {
      const { clock, outputs, applier } = telling();
      const gate = Promise.withResolvers<void>();
      if (late === 'hook') outputs.hookGate = gate.promise;
      else outputs.writeFile = async () => gate.promise;
      applier.want(wanted('standby'));
      expect(await clock.runUntilSettled(applier.settled(5_000)), late).toBe(false);
      gate.resolve();
      await clock.advance(10);
      expect(await clock.runUntilSettled(applier.settled(5_000)), late).toBe(true);
    }
  });

  it('is pursued no longer after an orderly end, and the file is gone', async () => {
    const { clock, outputs, applier } = telling();
    outputs.hookFailures = 1_000;
    applier.want(wanted('standby'));
    await clock.advance(5_000);
    const failuresLeft = () => outputs.hookFailures;
    expect(failuresLeft()).toBeLessThan(1_000);
    await clock.runUntilSettled(applier.close());
    const atTheEnd = failuresLeft();
    await clock.advance(600_000);
    expect(failuresLeft()).toBe(atTheEnd);
    expect(outputs.files.at(-1)).toBe('removed');
  });

  it('switches off five times, ten seconds apart, and then gives up; a failure is no reason to stop', async () => {
    const { clock, outputs, log, applier } = telling();
    const atMs: number[] = [];
    outputs.powerOff = async () => {
      atMs.push(clock.monotonicMs());
      throw new Error('planted: not permitted');
    };
    applier.want(wanted('standby'));
    await clock.runUntilSettled(applier.powerOff(1_000), 600_000);
    expect(atMs.length).toBe(5);
    expect(atMs.slice(1).map((ms, index) => ms - (atMs[index] ?? 0))).toEqual([10_000, 10_000, 10_000, 10_000]);
    expect(log.events().filter((event) => event === 'serve.poweroff.failed')).toHaveLength(5);
  });

  it('switches off also where nothing was ever wanted', async () => {
    const { clock, outputs, applier } = telling();
    await clock.runUntilSettled(applier.powerOff(1_000), 600_000);
    expect(outputs.powerOffs).toBe(5);
  });
});

describe('the keeper of a watchdog', () => {
  function keeping(change: { arms?: boolean } = {}) {
    const clock = new SimClock();
    const log = new RecordingLog();
    const done: string[] = [];
    const state = { mayArm: true, mayPet: true, arms: change.arms ?? true, petFails: false };
    const watchdog: Watchdog = {
      arm: () => {
        done.push('arm');
        return state.arms ? { kind: 'armed' } : { kind: 'not-armed', detail: 'planted' };
      },
      pet: () => {
        done.push('pet');
        if (state.petFails) throw new Error('planted');
      },
      disarm: () => void done.push('disarm'),
    };
    const parts = {
      watchdog,
      clock,
      log,
      timeoutMs: 8_000,
      mayArm: () => state.mayArm,
      mayPet: () => state.mayPet,
    };
    const keeper = new WatchdogKeeper(parts);
    return { clock, log, done, state, keeper };
  }

  it('that cannot arm it says so and tries again ten seconds later, no sooner', async () => {
    const { clock, log, done, state, keeper } = keeping({ arms: false });
    keeper.start();
    await clock.advance(9_999);
    expect([done, keeper.armed]).toEqual([['arm'], false]);
    expect(log.events()).toEqual(['watchdog.not-armed']);
    state.arms = true;
    await clock.advance(1);
    expect([done, keeper.armed]).toEqual([['arm', 'arm'], true]);
    expect(log.events()).toEqual(['watchdog.not-armed', 'watchdog.armed']);
  });

  it('pets it four times per timeout while it may, and says once when it starves and once when it is fed again', async () => {
    const { clock, log, done, state, keeper } = keeping();
    keeper.start();
    await clock.advance(8_000);
    expect(done).toEqual(['arm', 'pet', 'pet', 'pet', 'pet']);
    state.mayPet = false;
    await clock.advance(6_000);
    expect(done).toHaveLength(5);
    state.mayPet = true;
    await clock.advance(4_000);
    expect(done).toHaveLength(7);
    expect(log.events()).toEqual(['watchdog.armed', 'watchdog.starving', 'watchdog.petted-again']);
  });

  it('goes on when a pet fails', async () => {
    const { clock, log, done, state, keeper } = keeping();
    keeper.start();
    state.petFails = true;
    await clock.advance(4_000);
    expect(done).toEqual(['arm', 'pet', 'pet']);
    expect(log.events()).toEqual(['watchdog.armed', 'watchdog.pet-failed', 'watchdog.pet-failed']);
  });

  it('disarms at an orderly end, leaves it armed where something may serve, and does neither to one it never armed', async () => {
    for (const [disarm, expected] of [
      [true, ['arm', 'disarm']],
      [false, ['arm']],
    ] as const) {
      const { clock, done, log, keeper } = keeping();
      keeper.start();
      keeper.stop(disarm);
      await clock.advance(60_000);
      expect([done, keeper.armed]).toEqual([expected, false]);
      expect(log.events().includes('watchdog.left-armed')).toBe(!disarm);
    }
    const { done, state, keeper } = keeping();
    state.mayArm = false;
    expect(keeper.armed).toBe(false);
    keeper.start();
    keeper.stop(true);
    expect(done).toEqual([]);
    keeping().keeper.stop(true);
  });
});
