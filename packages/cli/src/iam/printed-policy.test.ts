import { coordinatorStatements } from '@understudy/aws';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type PrintedPolicyOptions, printedPolicy } from './printed-policy.ts';

const OPTIONS = { process: 'coordinator', partition: 'aws', format: 'json' } as const satisfies PrintedPolicyOptions;
const PASS = { passRole: ['arn:aws:iam::123456789012:role/db'] };
const NARROW = { region: 'eu-central-1', account: '123456789012', group: ['orders'], taggedResources: true, ...PASS };

const IamDocument = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(z.unknown()) });

/** The same scope in the words of the table of statements; what is not named is everything. */
const scopeOf = ({
  region = '*',
  account = '*',
  group = [],
  passRole = [],
  ...more
}: Partial<PrintedPolicyOptions>) => ({
  ...{ region, account, groups: group, passRoles: passRole, areResourcesTagged: more.taggedResources ?? false },
});

describe('the printed policy', () => {
  it('says what it leaves open', () => {
    const { notes } = printedPolicy(OPTIONS);
    expect(notes.join('\n')).toMatch(/no --pass-role.*\n.*--tagged-resources/);
  });

  it.each([
    ['of every Region, account and group', {}],
    ['with a role to pass', PASS],
    ['narrowed to Region, account and group', NARROW],
  ])('%s is two documents that IAM takes, which are the whole of it, and says how to attach both', (_, scope) => {
    const { document, notes } = printedPolicy({ ...OPTIONS, ...scope });
    const whole = coordinatorStatements({ partition: 'aws', ...scopeOf(scope) });
    const parts = [1, 2].map((part) => IamDocument.parse(printedPolicy({ ...OPTIONS, ...scope, part }).document));
    expect(parts).toEqual(document);
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThanOrEqual(6_144);
    expect(parts.flatMap((part) => part.Statement)).toEqual(whole);
    expect(notes[0]).toBe(
      'these are 2 policies, as one may have 6144 characters: print each one (--part 1, --part 2), make it (aws iam create-policy), and attach all to the role (aws iam attach-role-policy)',
    );
    expect(() => printedPolicy({ ...OPTIONS, ...scope, part: 3 })).toThrow(/no policy 3: there are 2/);
  });

  it('of CloudFormation is a template that finds out by itself where it is', () => {
    const { document, notes } = printedPolicy({ ...OPTIONS, ...PASS, format: 'cloudformation' });
    const managed = { Type: 'AWS::IAM::ManagedPolicy' };
    expect(document).toMatchObject({ Resources: { CoordinatorPolicy: managed, CoordinatorPolicy2: managed } });
    expect(notes[0]).toMatch(/the template has all of them, .* every one in its ManagedPolicyArns/);
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
