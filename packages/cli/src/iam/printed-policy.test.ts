import { describe, expect, it } from 'vitest';
import { type PrintedPolicyOptions, printedPolicy } from './printed-policy.ts';

const OPTIONS = { process: 'coordinator', partition: 'aws', format: 'json' } as const satisfies PrintedPolicyOptions;
const PASS = { passRole: ['arn:aws:iam::123456789012:role/db'] };
const NARROW = { region: 'eu-central-1', account: '123456789012', group: ['orders'], taggedResources: true, ...PASS };

describe('the printed policy', () => {
  it('is one document, and says what it leaves open', () => {
    const { document, notes } = printedPolicy(OPTIONS);
    expect(document).toMatchObject({ Version: '2012-10-17' });
    expect(notes.join('\n')).toMatch(/no --pass-role.*\n.*--tagged-resources/);
  });

  it('is a list of documents where one would be too long, and says that all are needed', () => {
    const { document, notes } = printedPolicy({ ...OPTIONS, ...NARROW });
    expect(document).toHaveLength(2);
    expect(notes).toEqual(['these are 2 policies, as one may have 6144 characters: attach all (--part prints one)']);
    const parts = [1, 2].map((part) => printedPolicy({ ...OPTIONS, ...NARROW, part }).document);
    expect(parts).toEqual(document);
    expect(() => printedPolicy({ ...OPTIONS, ...NARROW, part: 3 })).toThrow(/no policy 3: there are 2/);
  });

  it('is one document, which IAM takes as it is, with a role of an ordinary name', () => {
    expect(printedPolicy({ ...OPTIONS, ...PASS }).document).toHaveProperty('Version');
  });

  it('of CloudFormation is a template that finds out by itself where it is', () => {
    const { document } = printedPolicy({ ...OPTIONS, ...PASS, format: 'cloudformation' });
    expect(document).toMatchObject({
      Resources: { CoordinatorPolicy: { Type: 'AWS::IAM::ManagedPolicy' } },
    });
    const text = JSON.stringify(document);
    expect(text).toContain('{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*"}');
    expect(text).not.toMatch(/"arn:\$\{AWS::Partition\}[^"]*"(?<!"Fn::Sub":"[^"]*")/);
  });

  it('of an agent is the key of one member, and nothing else', () => {
    const { document } = printedPolicy({ ...OPTIONS, process: 'agent', group: ['orders'], member: 'db1' });
    expect(document).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          ...{ Sid: 'ReadOwnParameter', Effect: 'Allow', Action: ['ssm:GetParameter'] },
          Resource: ['arn:aws:ssm:*:*:parameter/understudy/keys/orders/db1'],
        },
      ],
    });
  });

  it('of an agent may open a customer’s key only through the store it reads from', () => {
    const key = 'arn:aws:kms:eu-central-1:123456789012:key/1';
    const options = {
      ...OPTIONS,
      process: 'agent',
      region: 'eu-central-1',
      secretName: ['orders-db1'],
      kmsKey: [key],
    } as const;
    expect(printedPolicy(options).document).toMatchObject({
      Statement: [
        { Resource: ['arn:aws:secretsmanager:eu-central-1:*:secret:orders-db1-??????'] },
        {
          ...{ Action: ['kms:Decrypt'], Resource: [key] },
          Condition: { StringLike: { 'kms:ViaService': ['secretsmanager.eu-central-1.amazonaws.com'] } },
        },
      ],
    });
  });

  it('of an agent of nobody, or of a whole group, is refused', () => {
    for (const named of [{}, { group: ['orders'] }, { group: ['a', 'b'], member: 'db1' }])
      expect(() => printedPolicy({ ...OPTIONS, process: 'agent', ...named })).toThrow(/one member/);
  });
});
