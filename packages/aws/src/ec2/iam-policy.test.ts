import { describe, expect, it } from 'vitest';
import { EC2_ACTIONS } from './actions.ts';
import { iamPolicyOf, type IamStatement } from './iam-policy.ts';

const { Statement } = iamPolicyOf();
const allowing = (action: string): readonly IamStatement[] =>
  Statement.filter((one) => one.Action.includes(`ec2:${action}`));
const conditions = (action: string) => allowing(action).map((one) => JSON.stringify(one.Condition ?? null));

describe('the IAM policy of a coordinator', () => {
  it.each(Object.keys(EC2_ACTIONS))('allows %s', (action) => {
    expect(allowing(action).length).toBeGreaterThan(0);
  });

  it('allows no action of EC2 that is not called', () => {
    const allowed = Statement.flatMap((one) => one.Action).filter((action) => action.startsWith('ec2:'));
    expect(allowed.filter((action) => !Object.hasOwn(EC2_ACTIONS, action.slice('ec2:'.length)))).toEqual([]);
  });

  it.each([
    'StopInstances',
    'TerminateInstances',
    'DeleteSnapshot',
    'DeregisterImage',
    'DeleteVolume',
    'DeleteNetworkInterface',
  ])('%s only on what carries our tags', (action) => {
    for (const condition of conditions(action)) expect(condition).toContain('aws:ResourceTag/understudy:');
  });

  it('makes things only with our tags: every resource that a launch, a capture or a permit makes is under that condition', () => {
    for (const [action, made] of [
      ['RunInstances', 'instance/*'],
      ['RunInstances', 'volume/*'],
      ['CreateSnapshots', 'snapshot/*'],
      ['CreateNetworkInterface', 'network-interface/*'],
      ['RegisterImage', 'image/*'],
    ] as const) {
      const over = allowing(action).filter((one) => one.Resource.some((arn) => arn.endsWith(`:${made}`)));
      expect(over.length).toBeGreaterThan(0);
      for (const one of over) expect(JSON.stringify(one.Condition)).toContain('aws:RequestTag/understudy:op');
    }
  });

  it('fits into a managed policy (6 144 characters, blanks not counted), with names once each', () => {
    expect(JSON.stringify(iamPolicyOf()).length).toBeLessThanOrEqual(6_144);
    expect(new Set(Statement.map((one) => one.Sid)).size).toBe(Statement.length);
  });

  it('asks about keys by itself, and has them used only by EC2 and for volumes', () => {
    const of = (action: string) => Statement.filter((one) => one.Action.includes(action));
    expect(of('kms:DescribeKey').map((one) => one.Condition)).toEqual([undefined]);
    for (const action of ['kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKeyWithoutPlaintext'])
      expect(JSON.stringify(of(action).map((one) => one.Condition))).toContain('kms:ViaService');
    expect(of('kms:CreateGrant').map((one) => one.Condition)).toEqual([
      { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    ]);
  });

  it('passes only the roles that are named', () => {
    const passRoles = ['arn:aws:iam::123456789012:role/db'];
    const pass = iamPolicyOf({ passRoles }).Statement.find((one) => one.Action.includes('iam:PassRole'));
    expect(pass).toMatchObject({
      Resource: passRoles,
      Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    });
  });
});
