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
