import { agentStatements, managedPolicies } from '@understudy/aws';
import { CloudSim, policyEvaluator } from '@understudy/cloud-sim';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { simulate } from './iam-simulator.ts';

const ACCOUNT = '123456789012';
const REGION = 'us-east-1';
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;
const OWN = '/understudy/keys/orders/db1';

const of = { partition: 'aws', region: REGION, account: ACCOUNT, parameters: [], secrets: [], kmsKeys: [KEY] };
const byParameter = managedPolicies(agentStatements({ ...of, parameters: [OWN] }));
const bySecret = managedPolicies(agentStatements({ ...of, secrets: ['orders/db1'] }));

const parameter = (name: string): string => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${name}`;
const secret = (name: string): string => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`;
const through = (store: string) => ({ 'kms:ViaService': `${store}.${REGION}.amazonaws.com` });

describe('the policy of an agent, by the simulator of IAM', () => {
  test.each([
    ['its own parameter', byParameter, 'ssm:GetParameter', parameter(OWN), {}, 'allowed'],
    [
      "another member's parameter",
      byParameter,
      'ssm:GetParameter',
      parameter('/understudy/keys/orders/db2'),
      {},
      'denied',
    ],
    ['a parameter below its own', byParameter, 'ssm:GetParameter', parameter(`${OWN}/more`), {}, 'denied'],
    ['writing its own parameter', byParameter, 'ssm:PutParameter', parameter(OWN), {}, 'denied'],
    [
      'a secret, where it has a parameter',
      byParameter,
      'secretsmanager:GetSecretValue',
      secret('orders/db1-AbCdEf'),
      {},
      'denied',
    ],
    ['its own secret', bySecret, 'secretsmanager:GetSecretValue', secret('orders/db1-AbCdEf'), {}, 'allowed'],
    [
      'a secret whose name begins alike',
      bySecret,
      'secretsmanager:GetSecretValue',
      secret('orders/db11-AbCdEf'),
      {},
      'denied',
    ],
    ['the key, through the store', byParameter, 'kms:Decrypt', KEY, through('ssm'), 'allowed'],
    ['the key, through another store', byParameter, 'kms:Decrypt', KEY, through('secretsmanager'), 'denied'],
    ['the key, by itself', byParameter, 'kms:Decrypt', KEY, {}, 'denied'],
    [
      'stopping its own instance',
      byParameter,
      'ec2:StopInstances',
      `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0123456789abcdef0`,
      {},
      'denied',
    ],
  ] as const)('%s', async (_, policies, action, resource, context, decided) => {
    expect(await simulate(policies, { action, resource, context })).toBe(decided);
    const own = policyEvaluator(policies)({ principal: 'i-1', action, resource, context });
    expect(own ? 'allowed' : 'denied').toBe(decided);
  });
});

test('under it cloud-sim hands out the key of its own member, and no other', async () => {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  sim.setAuthorize(policyEvaluator(byParameter));
  for (const name of [OWN, '/understudy/keys/orders/db2']) sim.putSecret('ssm', name, 'x');
  const ask = (name: string) =>
    clock.runUntilSettled(sim.call('ssm:GetParameter', { Name: name, WithDecryption: true }));
  expect(await ask(OWN)).toMatchObject({ output: { Parameter: { Value: 'x' } } });
  expect(await ask('/understudy/keys/orders/db2')).toMatchObject({ error: { code: 'UnauthorizedOperation' } });
});
