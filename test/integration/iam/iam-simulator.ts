import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { AccessRequest } from '@understudy/cloud-sim';
import type { IamPolicy } from '@understudy/aws';

/**
 * A simulator of IAM that others wrote (AGPL: for tests only, decision 0056). It knows the service
 * authorization reference, so it also says when a request can never be asked in that way.
 */
const ACCOUNT = '123456789012';
const PRINCIPAL = `arn:aws:sts::${ACCOUNT}:assumed-role/coordinator/i-0123456789abcdef0`;

/** A key's own policy that leaves its use to the account's IAM. */
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      ...{ Sid: 'Account', Effect: 'Allow', Action: 'kms:*', Resource: '*' },
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    },
  ],
};

/** `allowed`, `denied`, or why it is no question that IAM could be asked. */
export async function simulate(
  policies: readonly IamPolicy[],
  { action, resource, context }: Omit<AccessRequest, 'principal'>,
): Promise<string> {
  const contextVariables = Object.fromEntries(
    Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]),
  );
  const answer = await runSimulation(
    {
      request: { principal: PRINCIPAL, action, resource: { resource, accountId: ACCOUNT }, contextVariables },
      identityPolicies: policies.map((policy, index) => ({ name: `policy-${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(action.startsWith('kms:') ? { resourcePolicy: KEY_POLICY } : {}),
    },
    {},
  );
  if (answer.resultType === 'error') return `no question: ${JSON.stringify(answer.errors)}`;
  return answer.overallResult === 'Allowed' ? 'allowed' : 'denied';
}
