import { OperationError } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { account, answered, leftIn, runOf } from './account.fixtures.ts';
import { planAccount } from './ask-account.ts';
import { costOf } from './cost.ts';
import { QUESTIONS } from './questions.ts';
import { removeRun } from './removal.ts';
import { reportMarkdown, worstOfReport } from './report.ts';
import { Things } from './things.ts';

const ALL = QUESTIONS.map(({ id }) => id);

describe('a dry run', () => {
  it('tells rights and costs, and changes nothing', async () => {
    const one = account();
    one.sim.setDeniedActions(['CreateSnapshots']);
    const report = await one.clock.runUntilSettled(planAccount(runOf(one, ALL)));
    const words = Object.fromEntries(report.calls.map(({ action, word }) => [action, word]));
    expect(words).toMatchObject({
      RunInstances: 'allowed',
      CreateNetworkInterface: 'allowed',
      CreateSnapshots: 'denied',
    });
    expect(report.questions.every(({ outcome }) => outcome.kind === 'planned')).toBe(true);
    expect(report.costUsd).toBeCloseTo(QUESTIONS.reduce((sum, { use }) => sum + costOf(use, 0.0104), 0));
    expect(worstOfReport(report)).toBe('fault');
    expect(await leftIn(one)).toEqual([]);
    one.sim.close();
  });

  it('does not count what cannot be asked', async () => {
    const one = account();
    const run = runOf(one, ['token-other-zone']);
    const poor = { ...run, given: { ...run.given, otherSubnetId: null } };
    const report = await one.clock.runUntilSettled(planAccount(poor));
    expect(report).toMatchObject({
      costUsd: 0,
      questions: [{ outcome: { kind: 'skipped', needs: ['otherSubnetId'] } }],
    });
    one.sim.close();
  });
});

it('a dry run of an EC2 that takes no notice of DryRun removes what that made', async () => {
  const one = account();
  const run = runOf(one, ['stop-time'], (cloud) => ({
    tryCall: async (call) => {
      await call(cloud);
      throw new OperationError('CLOUD_REJECTED', 'this EC2 takes no notice of DryRun');
    },
  }));
  const report = await one.clock.runUntilSettled(planAccount(run));
  expect(report).toMatchObject({ dry: true, removed: { instance: 1 }, leftCount: 0 });
  expect(await leftIn(one)).toEqual([]);
  one.sim.close();
});

describe('a run', () => {
  it('goes on after a question that fails, and removes what that one has made', async () => {
    const one = account();
    const run = runOf(one, ['interface-gone', 'stop-time'], () => ({
      stopInstance: () => Promise.reject(new OperationError('CLOUD_DENIED', 'arn:aws:iam::123456789012:user/x')),
    }));
    const report = await answered(one, run);
    expect(report.questions.map(({ outcome }) => outcome.kind)).toEqual(['answered', 'failed']);
    expect(report).toMatchObject({ leftCount: 0, removed: { instance: 1 } });
    expect(worstOfReport(report)).toBe('fault');
    expect(await leftIn(one)).toEqual([]);
    expect(reportMarkdown(report)).not.toMatch(/123456789012|i-[0-9a-f]{8}|eni-|arn:/);
    one.sim.close();
  });

  it('that was killed is removed by its id, and nothing else is', async () => {
    const one = account();
    const { cloud, clock } = one;
    const { random, given } = runOf(one, []);
    const things = (runId: string) => new Things({ cloud, clock, random, given, runId });
    const made = async () => {
      const { instanceId } = await things('killed').running();
      await things('killed').capture(instanceId);
      await things('killed').interfaceIn(given.subnetId);
      return things('another').running();
    };
    const other = await clock.runUntilSettled(made());
    const removal = await clock.runUntilSettled(removeRun(cloud, clock, 'killed'));
    expect(removal.left).toEqual([]);
    expect(removal.removed).toMatchObject({ instance: 1, snapshot: 1, 'network interface': 1 });
    const left = await leftIn(one);
    expect(left.length).toBeGreaterThan(0);
    expect(left.every((thing) => thing.includes('another'))).toBe(true);
    expect(left.join()).toContain(other.instanceId);
    one.sim.close();
  });

  it('is not begun without the rights to remove what it makes', async () => {
    const one = account();
    one.sim.setDeniedActions(['TerminateInstances', 'DeleteSnapshot']);
    const refused = answered(one, runOf(one, ALL));
    await expect(refused).rejects.toThrow(/could not be removed: TerminateInstances, DeleteSnapshot/);
    expect(await leftIn(one)).toEqual([]);
    one.sim.close();
  });

  it('makes nothing more once something is left', async () => {
    const one = account();
    const run = runOf(one, ['interface-gone', 'token-other-zone', 'stop-time'], () => ({
      deregisterImage: () => Promise.resolve(),
      deleteNetworkInterface: () => Promise.reject(new OperationError('CLOUD_CONFLICT', 'no')),
    }));
    const report = await answered(one, run);
    expect(report.questions.map(({ outcome }) => outcome.kind)).toEqual(['failed', 'stopped', 'stopped']);
    one.sim.close();
  });

  it('waits for what may still land, and removes it', async () => {
    const one = account();
    const late = runOf(one, ['token-remembered'], (cloud) => ({
      runInstances: async (request) => {
        one.clock.setTimer(90_000, () => void cloud.runInstances(request));
        throw new OperationError('CLOUD_OUTCOME_UNKNOWN', 'no reply');
      },
    }));
    const report = await answered(one, late);
    expect(report).toMatchObject({ leftCount: 0, removed: { instance: 1 } });
    expect(await leftIn(one)).toEqual([]);
    one.sim.close();
  });

  it('goes on removing when a list fails in passing', async () => {
    const one = account();
    let failed = 0;
    const run = runOf(one, ['interface-gone'], (cloud) => ({
      describeSnapshots: (filters) =>
        ++failed <= 2 ? Promise.reject(new OperationError('CLOUD_THROTTLED', 'no')) : cloud.describeSnapshots(filters),
    }));
    expect(await answered(one, run)).toMatchObject({ leftCount: 0 });
    expect(failed).toBeGreaterThan(2);
    one.sim.close();
  });

  it('removes nothing that EC2 shows without the tag of the run', async () => {
    const one = account();
    const { cloud, clock } = one;
    const things = new Things({ ...runOf(one, []), clock, runId: 'somebody' });
    const { networkInterfaceId } = await clock.runUntilSettled(things.shownInterfaceIn(runOf(one, []).given.subnetId));
    const careless = runOf(one, [], (real) => ({
      describeNetworkInterfaces: () => real.describeNetworkInterfaces({}),
    }));
    await clock.runUntilSettled(removeRun(careless.cloud, clock, 'run1'));
    const ids = { 'network-interface-id': [networkInterfaceId] };
    expect(await clock.runUntilSettled(cloud.describeNetworkInterfaces(ids))).toHaveLength(1);
    one.sim.close();
  });

  it('says what is left when EC2 refuses to remove it', async () => {
    const one = account();
    const run = runOf(one, ['interface-gone'], () => ({
      deleteNetworkInterface: () => Promise.reject(new OperationError('CLOUD_DENIED', 'no')),
    }));
    const report = await answered(one, run);
    expect(report.leftCount).toBe(1);
    expect(worstOfReport(report)).toBe('fault');
    one.sim.close();
  });
});
