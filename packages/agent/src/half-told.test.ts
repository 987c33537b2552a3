import { RecordingLog, SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ActivationApplier, type WantedActivation } from './activation-applier.ts';
import { running, TestOutputs } from './agent.fixtures.ts';

const wanted = (state: WantedActivation['state']): WantedActivation => ({ state, incarnation: 1, instanceId: 'i-1' });

/** A workload that was withdrawn and then got only half of its activation. */
async function halfTold(breakHalf: (outputs: TestOutputs) => void) {
  const clock = new SimClock();
  const outputs = new TestOutputs();
  const parts = { outputs, clock, random: new SeededRandom(1), log: new RecordingLog() };
  const applier = new ActivationApplier({ powerOffWhenStuck: true, ...parts });
  applier.want(wanted('standby'));
  await clock.advance(100);
  expect([applier.workload, outputs.hooks, outputs.targets]).toEqual(['withdrawn', ['standby'], [false]]);
  breakHalf(outputs);
  applier.want(wanted('active'));
  await clock.advance(100);
  return { applier, outputs, clock };
}

describe('a workload that was told half of its activation', () => {
  it('counts as unknown, and is withdrawn when the instance is fenced: both the hook and the target are told', async () => {
    const { applier, outputs, clock } = await halfTold((all) => {
      all.hookFailures = 1;
    });
    expect([outputs.targets, applier.workload]).toEqual([[false, true], 'unknown']);
    applier.want(wanted('fenced'));
    await clock.advance(100);
    expect(outputs.hooks).toEqual(['standby', 'fenced']);
    expect(outputs.targets).toEqual([false, true, false]);
    expect(applier.workload).toBe('withdrawn');
  });

  it('is not told the other half once it has been fenced meanwhile', async () => {
    const gate = Promise.withResolvers<void>();
    const { applier, outputs, clock } = await halfTold((all) => {
      const tell = all.tellTarget.bind(all);
      all.tellTarget = async (serving) => {
        if (serving) await gate.promise;
        return tell(serving);
      };
    });
    applier.want(wanted('fenced'));
    gate.resolve();
    await clock.advance(100);
    expect(outputs.hooks).toEqual(['standby', 'fenced']);
    expect(outputs.targets).toEqual([false, true, false]);
    expect(applier.workload).toBe('withdrawn');
  });

  it('is not told to serve because its target could not be: the hook is not run', async () => {
    const { outputs, applier } = await halfTold((all) => {
      all.tellTarget = async () => {
        throw new Error('planted: no systemd');
      };
    });
    expect(outputs.hooks).toEqual(['standby']);
    expect(applier.workload).toBe('unknown');
  });

  it('is withdrawn by the hook although the target cannot be told', async () => {
    const { outputs, applier, clock } = await halfTold((all) => {
      all.hookFailures = 1;
    });
    outputs.tellTarget = async () => {
      throw new Error('planted: no systemd');
    };
    applier.want(wanted('fenced'));
    await clock.advance(100);
    expect(outputs.hooks).toEqual(['standby', 'fenced']);
    expect(applier.workload).toBe('unknown');
  });
});

describe('a workload whose hook fails when it is withdrawn', () => {
  it('has its target stopped all the same, and is told again until the hook works', async () => {
    const clock = new SimClock();
    const outputs = new TestOutputs();
    const parts = { outputs, clock, random: new SeededRandom(1), log: new RecordingLog() };
    const applier = new ActivationApplier({ powerOffWhenStuck: true, ...parts });
    applier.want(wanted('active'));
    await clock.advance(100);
    outputs.hookFailures = 1;
    applier.want(wanted('fenced'));
    await clock.advance(1);
    expect([outputs.hooks, outputs.targets, applier.workload]).toEqual([['active'], [true, false], 'unknown']);
    await clock.advance(60_000);
    expect([outputs.hooks, applier.workload]).toEqual([['active', 'fenced'], 'withdrawn']);
  });
});

describe('a fresh agent', () => {
  it.each([
    ['by everybody', 3],
    ['by one, while the others say nothing', 1],
  ])('that is told unknown %s, of whatever incarnation and for however long, does not serve', async (_by, count) => {
    const { c1, c2, c3, clock, outputs, agent, stop } = await running();
    const unknown = { activation: 'unknown', incarnation: 9, term: 99n, holdsForMs: 60_000, leaderLive: true } as const;
    [c1, c2, c3].forEach((one, index) => {
      one.reply = index < count ? unknown : null;
    });
    await clock.advance(120_000);
    expect(c1.heard.length).toBeGreaterThan(100);
    expect([agent.activation.kind, outputs.hooks]).toEqual(['standby', ['standby']]);
    expect(c1.heard.filter((one) => one.flags.serving)).toEqual([]);
    await stop();
  });
});
