import { OperationError } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ActivationApplier, type WantedActivation } from './activation-applier.ts';
import { TestOutputs } from './agent.fixtures.ts';

const wanted = (state: WantedActivation['state']): WantedActivation => ({ state, incarnation: 1, instanceId: 'i-1' });

function applierWith(
  beforeActivating: (applier: ActivationApplier) => void = () => undefined,
  powerOffWhenStuck = true,
) {
  const clock = new SimClock();
  const outputs = new TestOutputs();
  const log = new RecordingLog();
  let asked = 0;
  const applier: ActivationApplier = new ActivationApplier({
    powerOffWhenStuck,
    outputs,
    clock,
    random: new SeededRandom(1),
    log,
  });
  applier.beforeActivating = () => {
    asked++;
    beforeActivating(applier);
  };
  return { applier, clock, outputs, log, asked: () => asked };
}

describe('telling the workload', () => {
  it('a pause noticed right before the hook stops it: nothing is activated on an old decision', async () => {
    const { applier, clock, outputs, asked } = applierWith((self) => self.want(wanted('standby')));
    applier.want(wanted('active'));
    await clock.advance(5_000);
    expect(asked()).toBe(1);
    expect(outputs.hooks).toEqual(['standby']);
  });

  it('the newest state wins; those overtaken while a hook runs are skipped, and hooks never run side by side', async () => {
    const { applier, clock, outputs } = applierWith();
    let open: () => void = () => undefined;
    outputs.hookGate = new Promise((resolve) => {
      open = resolve;
    });
    applier.want(wanted('active'));
    await clock.advance(100);
    for (const state of ['standby', 'active', 'fenced'] as const) applier.want(wanted(state));
    await clock.advance(100);
    expect(outputs.hooks).toEqual([]);
    expect(outputs.files.at(-1)).toMatchObject({ state: 'fenced' });
    outputs.hookGate = null;
    open();
    await clock.advance(100);
    expect(outputs.hooks).toEqual(['active', 'fenced']);
  });

  it.each(['standby', 'fenced'] as const)('a hook that starts the workload is ended by %s', async (state) => {
    const { applier, clock, outputs } = applierWith();
    outputs.hangsUntilEnded = true;
    applier.want(wanted('active'));
    await clock.advance(100);
    applier.want({ ...wanted('active'), incarnation: 2 });
    await clock.advance(100);
    expect([outputs.ended, outputs.hooks]).toEqual([0, []]);
    applier.want(wanted(state));
    await clock.advance(100);
    expect([outputs.ended, outputs.hooks, applier.workload]).toEqual([1, [state], 'withdrawn']);
  });

  it('a withdrawal that failed is repeated until it works, at most 60 s apart', async () => {
    const { applier, clock, outputs, log } = applierWith();
    outputs.hookFailures = 12;
    applier.want(wanted('standby'));
    await clock.advance(600_000);
    expect(outputs.hooks).toEqual(['standby']);
    const waits = log.lines.map(({ fields }) => Number(fields['retryInMs'])).filter((ms) => ms > 0);
    expect(waits.length).toBe(12);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
  });

  it('withdrawn is withdrawn: standby to fenced changes the file and runs no second hook', async () => {
    const { applier, clock, outputs } = applierWith();
    applier.want(wanted('standby'));
    await clock.advance(100);
    applier.want(wanted('fenced'));
    await clock.advance(100);
    expect(outputs.hooks).toEqual(['standby']);
    expect(outputs.files.at(-1)).toMatchObject({ state: 'fenced' });
  });

  it('switches off after the withdrawal, and not at all when it may serve again', async () => {
    const { applier, clock, outputs } = applierWith();
    outputs.hookFailures = 1_000;
    applier.want(wanted('standby'));
    const off = applier.powerOff(10_000);
    await clock.advance(9_000);
    expect(outputs.powerOffs).toBe(0);
    await clock.advance(2_000);
    expect(outputs.powerOffs).toBe(1);
    applier.want(wanted('active'));
    await clock.runUntilSettled(off);
    expect(outputs.powerOffs).toBe(1);
  });
});

describe('a workload that cannot be stopped', () => {
  const stuck = new OperationError('WORKLOAD_STUCK', 'planted');

  it('on a fenced machine ends with the machine; the second time by other means', async () => {
    const { applier, clock, outputs } = applierWith();
    outputs.targetFailure = stuck;
    applier.want(wanted('fenced'));
    await clock.advance(5_000);
    expect([outputs.powerOffs, outputs.attempts]).toEqual([1, [1]]);
    await clock.advance(10_000);
    expect(outputs.attempts).toEqual([1, 2]);
    expect(applier.workload).toBe('unknown');
  });

  it('is no reason to switch off any more once nobody else is named', async () => {
    const { applier, clock, outputs } = applierWith();
    outputs.targetFailure = stuck;
    applier.want(wanted('fenced'));
    await clock.advance(5_000);
    expect(outputs.powerOffs).toBe(1);
    applier.want(wanted('standby'));
    await clock.advance(120_000);
    expect(outputs.powerOffs).toBe(1);
  });

  it.each([
    ['on standby, where nobody else is named yet', 'standby', stuck, true],
    ['where the configuration says report', 'fenced', stuck, false],
    ['when it is only a command that failed', 'fenced', new OperationError('COMMAND_FAILED', 'planted'), true],
  ] as const)('does not switch the machine off %s', async (_name, state, failure, powerOffWhenStuck) => {
    const { applier, clock, outputs } = applierWith(undefined, powerOffWhenStuck);
    outputs.targetFailure = failure;
    applier.want(wanted(state));
    await clock.advance(120_000);
    expect(outputs.targets.length).toBeGreaterThan(1);
    expect(outputs.powerOffs).toBe(0);
  });
});
