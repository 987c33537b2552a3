import { describe, expect, it, test } from 'vitest';
import { inProcessKms } from '../../in-process-kms.ts';
import { launch, testRegion } from '../region.fixtures.ts';
import type { AccessRequest } from './access-request.ts';
import { policyEvaluator } from './policy-evaluator.ts';

/** A region that notes what IAM is asked, and answers as told. */
function asking(allows: (request: AccessRequest) => boolean = () => true) {
  const one = testRegion();
  const asked: AccessRequest[] = [];
  one.sim.setAuthorize((request) => {
    asked.push(request);
    return allows(request);
  });
  return { ...one, asked };
}

const TAGS = (type: string) => ({ ResourceType: type, Tags: [{ Key: 'understudy:op', Value: 'o1' }] });

describe('what IAM is asked', () => {
  it('of a launch: each resource, the tags it gives and makes with, and the role it passes', async () => {
    const one = asking();
    one.sim.setInstanceProfile('db', true);
    await launch(one, { TagSpecifications: [TAGS('instance')], IamInstanceProfile: { Name: 'db' } });
    const lines = one.asked.map(({ action, resource }) => `${action} ${resource.split(':').slice(5).join(':')}`);
    expect(lines).toEqual([
      expect.stringMatching(/^ec2:RunInstances image\/ami-/),
      ...['instance/*', 'volume/*', 'network-interface/*'].map((made) => `ec2:RunInstances ${made}`),
      'ec2:CreateTags instance/*',
      'iam:PassRole role/db',
    ]);
    expect(one.asked.find(({ action }) => action === 'ec2:CreateTags')?.context).toEqual({
      ...{ 'aws:RequestedRegion': 'us-east-1', 'ec2:CreateAction': 'RunInstances' },
      ...{ 'aws:RequestTag/understudy:op': 'o1', 'aws:TagKeys': ['understudy:op'] },
    });
    expect(one.asked.at(-1)?.context['iam:PassedToService']).toBe('ec2.amazonaws.com');
  });

  it('of a stop: the instance with the tags it has at that moment', async () => {
    const one = asking();
    const instanceId = await launch(one);
    one.sim.seed('CreateTags', { Resources: [instanceId], Tags: [{ Key: 'understudy:group', Value: 'db' }] });
    await one.clock.advance(60_000);
    one.asked.length = 0;
    await one.ok('StopInstances', { InstanceIds: [instanceId] });
    expect(one.asked).toEqual([
      {
        ...{ principal: '', action: 'ec2:StopInstances' },
        resource: `arn:aws:ec2:us-east-1:123456789012:instance/${instanceId}`,
        context: { 'aws:RequestedRegion': 'us-east-1', 'aws:ResourceTag/understudy:group': 'db' },
      },
    ]);
  });

  it('of a list: everything, once; of what is seeded: nothing', async () => {
    const one = asking();
    one.sim.seed('AllocateAddress', { Domain: 'vpc' });
    expect(one.asked).toEqual([]);
    await one.ok('DescribeAddresses', {});
    expect(one.asked.map(({ action, resource }) => [action, resource])).toEqual([['ec2:DescribeAddresses', '*']]);
  });
});

describe('what is denied', () => {
  it('is refused as EC2 does, with who, what and on which resource, and changes nothing', async () => {
    const one = asking(({ action }) => action !== 'ec2:StopInstances');
    const instanceId = await launch(one);
    const refusal = await one.refused('StopInstances', { InstanceIds: [instanceId] });
    expect([refusal.name, refusal.$metadata.httpStatusCode, refusal.$fault]).toEqual([
      ...['UnauthorizedOperation', 403, 'client'],
    ]);
    expect(refusal.message).toMatch(
      /^You are not authorized to perform this operation\. User: arn:aws:sts::\d{12}:assumed-role\/sim\/.* is not authorized to perform: ec2:StopInstances on resource: arn:aws:ec2:.*i-.* because no identity-based policy allows .* Encoded authorization failure message: /,
    );
    await one.clock.advance(60_000);
    expect(one.sim.core.region.instances.get(instanceId)?.state).not.toBe('stopped');
  });

  it('is refused before a dry run says that it would work', async () => {
    const one = asking(({ action }) => action !== 'ec2:DescribeInstances');
    expect((await one.refused('DescribeInstances', { DryRun: true })).name).toBe('UnauthorizedOperation');
    expect((await one.refused('DescribeVolumes', { DryRun: true })).name).toBe('DryRunOperation');
  });

  it('in KMS is an AccessDeniedException', async () => {
    const one = asking(() => false);
    const { arn } = one.sim.createKmsKey();
    const work = one.clock.runUntilSettled(inProcessKms(one.sim)('DescribeKey', { KeyId: arn }));
    await expect(work).rejects.toMatchObject({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
    expect(one.asked[0]).toMatchObject({ action: 'kms:DescribeKey', resource: arn });
  });

  it('of a key makes the volume’s instance die late, as EC2 learns it only while it attaches', async () => {
    const one = asking(({ action }) => action !== 'kms:CreateGrant');
    const { arn } = one.sim.createKmsKey();
    const Ebs = { VolumeSize: 1, Encrypted: true, KmsKeyId: arn };
    const instanceId = await launch(one, { BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs }] });
    await one.clock.advance(120_000);
    const dead = one.sim.core.region.instances.get(instanceId);
    expect([dead?.state, dead?.stateReason?.code]).toEqual(['terminated', 'Client.InternalError']);
  });
});

describe('the evaluator', () => {
  const ask = (condition: object, context: AccessRequest['context']) =>
    policyEvaluator([
      {
        Statement: [
          { Effect: 'Allow', Action: 'ec2:Stop*', Resource: '*', Condition: condition as Record<string, never> },
        ],
      },
    ])({ principal: 'c', action: 'ec2:StopInstances', resource: 'arn:x', context });

  test.each<[string, object, AccessRequest['context'], boolean]>([
    ['an equal value', { StringEquals: { k: ['a', 'b'] } }, { k: 'b' }, true],
    ['another value', { StringEquals: { k: 'a' } }, { k: 'c' }, false],
    ['an absent key', { StringEquals: { k: 'a' } }, {}, false],
    ['an absent key, if it exists', { StringEqualsIfExists: { k: 'a' } }, {}, true],
    ['a pattern', { StringLike: { k: 'ec2.*.com' } }, { k: 'ec2.eu.com' }, true],
    ['a pattern whose dot is a dot', { StringLike: { k: 'ec2.*.com' } }, { k: 'ec2xeuxcom' }, false],
    ['Null of what is there', { Null: { k: 'false' } }, { k: '' }, true],
    ['Null of what is not there', { Null: { k: 'false' } }, {}, false],
    ['all of several values', { 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, { k: ['a', 'b'] }, true],
    ['one foreign value of several', { 'ForAllValues:StringEquals': { k: ['a'] } }, { k: ['a', 'c'] }, false],
    ['all of none, which is true in IAM', { 'ForAllValues:StringEquals': { k: ['a'] } }, {}, true],
  ])('%s', (_, condition, context, allowed) => {
    expect(ask(condition, context)).toBe(allowed);
  });

  it('lets a Deny win, and allows nothing that is not named', () => {
    const both = policyEvaluator([
      { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
      { Statement: [{ Effect: 'Deny', Action: ['ec2:StopInstances'], Resource: '*' }] },
    ]);
    const request = { principal: 'c', resource: 'arn:x', context: {} };
    expect(both({ ...request, action: 'ec2:StopInstances' })).toBe(false);
    expect(both({ ...request, action: 'ec2:StartInstances' })).toBe(true);
    expect(policyEvaluator([])({ ...request, action: 'ec2:StartInstances' })).toBe(false);
  });

  it('does not guess about an operator it does not know', () => {
    expect(() => ask({ DateGreaterThan: { k: '2026-01-01' } }, { k: '2027-01-01' })).toThrow(/DateGreaterThan/);
  });
});
