import { describe, expect, it, test } from 'vitest';
import { EC2_ACTIONS } from '../ec2/actions.ts';
import { AWS_CALLS } from './calls.ts';
import { coordinatorStatements, type IamStatement, managedPolicies } from './iam-policy.ts';
import { STATEMENTS } from './statements.ts';

const NARROW = {
  ...{ region: 'eu-central-1', account: '123456789012', groups: ['orders', 'db'], areResourcesTagged: true },
  passRoles: ['arn:aws:iam::123456789012:role/db'],
};
const PASS = {
  passRoles: ['arn:aws:iam::123456789012:role/db'],
  hostedZones: ['Z1'],
  targetGroups: ['arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1'],
  eventQueues: ['arn:aws:sqs:eu-central-1:123456789012:understudy-events'],
  ...{ runsCommands: true, tellsPings: true },
  topics: ['arn:aws:sns:eu-central-1:123456789012:understudy'],
  eventBuses: ['arn:aws:events:eu-central-1:123456789012:event-bus/ops'],
  parameters: ['/understudy/master'],
  secrets: ['understudy/master'],
};
const wide = coordinatorStatements(PASS);
const charactersOf = (policy: unknown): number => JSON.stringify(policy).length;
const named = (statements: readonly IamStatement[], sid: string) => statements.find((one) => one.Sid === sid);

describe('the table of calls', () => {
  test('names every action of EC2 that is sent, and says who changes something', () => {
    for (const [action, { mutating }] of Object.entries(EC2_ACTIONS))
      expect(AWS_CALLS.find((call) => call.action === `ec2:${action}`)).toMatchObject({ mutating });
  });

  test('every call has a statement, and every statement a call: nothing is allowed for nobody', () => {
    const used = new Set(AWS_CALLS.flatMap((call) => call.allowedBy));
    expect(AWS_CALLS.filter((call) => call.allowedBy.length === 0)).toEqual([]);
    expect(Object.keys(STATEMENTS).filter((name) => !used.has(name as keyof typeof STATEMENTS))).toEqual([]);
  });
});

describe('the IAM policy of a coordinator', () => {
  it('allows exactly the actions of the table', () => {
    const allowed = new Set(wide.flatMap((one) => one.Action));
    expect([...allowed].sort()).toEqual(AWS_CALLS.map((call) => call.action).sort());
  });

  it('changes, reads inside and deletes only under a condition, but for what is told here', () => {
    const unbound = wide.filter((one) => one.Condition === undefined).map((one) => one.Sid);
    expect(unbound).toEqual([
      'Observe',
      'CaptureVolumes',
      'MoveVolumes',
      'MakePermitIn',
      'LaunchWith',
      'MoveAddresses',
      'FreeAddresses',
      'MoveInterfaces',
      'LookAtRecords',
      'FollowRecords',
      'LookAtTargets',
      'MoveTargets',
      'ReadEvents',
      'RunDocument',
      'FollowCommands',
      'TellPings',
      'PublishNotices',
      'LookAtSinks',
      'ReadParameters',
      'ReadSecrets',
      'LookAtKeys',
    ]);
  });

  it('names Region, account and groups wherever IAM can hold them', () => {
    const narrow = coordinatorStatements(NARROW);
    const ec2 = narrow.filter((one) => one.Action.every((action) => action.startsWith('ec2:')));
    for (const { Sid, Resource, Condition } of ec2) {
      const isLocked = JSON.stringify(Condition ?? {}).includes('"aws:RequestedRegion":"eu-central-1"');
      for (const arn of Resource) expect(isLocked || arn.includes(':eu-central-1:'), `${Sid}: ${arn}`).toBe(true);
    }
    const group = { 'aws:ResourceTag/understudy:group': ['orders', 'db'] };
    expect(named(narrow, 'ChangeMembers')?.Condition).toEqual({ StringEquals: group });
    expect(named(narrow, 'MoveAddresses')?.Condition).toEqual({ StringEquals: group });
  });

  it('passes only roles that are named, and none where none is', () => {
    expect(named(wide, 'PassMemberRoles')).toMatchObject({
      Resource: PASS.passRoles,
      Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    });
    expect(named(coordinatorStatements(), 'PassMemberRoles')).toBeUndefined();
  });

  it('speaks of other partitions in their words', () => {
    const china = coordinatorStatements({ partition: 'aws-cn', region: 'cn-north-1', ...PASS });
    expect(JSON.stringify(china)).not.toContain('arn:aws:ec2');
    expect(JSON.stringify(named(china, 'PassMemberRoles'))).toContain('ec2.amazonaws.com.cn');
    expect(JSON.stringify(named(china, 'UseKeys'))).toContain('ec2.cn-north-1.amazonaws.com.cn');
  });
});

describe('managed policies', () => {
  it('of ordinary scopes are two, each of at most 6 144 characters, which together are the whole', () => {
    for (const scope of [PASS, NARROW]) {
      const statements = coordinatorStatements(scope);
      const policies = managedPolicies(statements);
      for (const policy of policies) expect(charactersOf(policy)).toBeLessThanOrEqual(6_144);
      expect(policies).toHaveLength(2);
      expect(policies.flatMap((policy) => policy.Statement)).toEqual(statements);
    }
  });

  it('are several where one is too small, with every statement once and in order', () => {
    const policies = managedPolicies(wide, 2_000);
    expect(policies.length).toBeGreaterThan(2);
    for (const policy of policies) expect(charactersOf(policy)).toBeLessThanOrEqual(2_000);
    expect(policies.flatMap((policy) => policy.Statement)).toEqual(wide);
  });

  it('refuse a statement that no policy can hold', () => {
    const passRoles = Array.from({ length: 200 }, (_, index) => `arn:aws:iam::123456789012:role/member-${index}`);
    expect(() => managedPolicies(coordinatorStatements({ passRoles }))).toThrow(/PassMemberRoles is longer/);
  });
});
