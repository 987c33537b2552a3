import { GroupPolicySchema } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { planInputFixture } from '../core/plan.fixture.ts';
import { type Failure, planByLadder } from './plan-by-ladder.ts';

const silent: Failure = {
  evidence: { system: 'ok', instance: 'ok', attachedEbs: 'ok', answers: false, knowsBootEpoch: true },
  ...{ tried: [], asked: null },
};
const planned = (policy: object, over: Partial<Failure> = {}) =>
  planByLadder(planInputFixture(), GroupPolicySchema.parse(policy), null, { ...silent, ...over });

const KEEP = { identity: { primaryAddress: 'keep' } };

describe('a member whose primary private address is to stay', () => {
  test.each(['snapshot-and-replace', 'reattach'])('is not replaced by %s, and it is said why', (strategy) => {
    const result = planned({ ...KEEP, recover: { strategy } });
    if (result.kind === 'plan') throw new Error('it would be replaced');
    const [problem] = result.problems.filter((one) => one.code === 'PrimaryAddressMustStay');
    expect(problem?.text).toContain('EC2 frees 10.0.1.10 only when');
  });

  test('is brought back in place, and the ways that would change it say so beforehand', () => {
    const result = planned({ ...KEEP, recover: { ladder: {} } });
    expect(result).toMatchObject({ kind: 'plan', plan: { strategy: 'stop-start' } });
    const said = result.kind === 'plan' ? result.plan.ladder : [];
    expect(said?.find((one) => one.rung === 'stop-start')?.said).toBe('taken');
  });

  test('has no way left once those in place have not helped', () => {
    const tried = ['reboot', 'stop-start'].map((rung) => ({ rung, outcome: 'not-mended' as const }));
    const result = planned({ ...KEEP, recover: { ladder: {} } }, { tried });
    expect(result.kind).toBe('blocked');
    const codes = result.problems.map((one) => one.code);
    expect(codes).toContain('PrimaryAddressMustStay');
    expect(codes).toContain('LadderExhausted');
  });
});

describe('a member whose primary private address may change', () => {
  const lossOf = (identity: object) => {
    const result = planned({ identity, recover: { strategy: 'snapshot-and-replace' } });
    return result.kind === 'plan' ? result.plan.losses.find((one) => one.code === 'PrivateIpChanges')?.text : null;
  };

  test('is told so beforehand, and whether anything leads clients to the next one', () => {
    expect(lossOf({})).toContain('the policy names no records and no target groups');
    expect(lossOf({ dns: { zones: [{ zoneId: 'Z0123456789ABC' }] } })).toContain('that the policy names follow');
    expect(lossOf({ targetGroups: { groups: 'discover' } })).toContain('that the policy names follow');
  });
});
