import { parameterArn, secretArn } from './secret-arns.ts';
import type { PolicyScope } from './policy-scope.ts';
import { domainOf } from './statements.ts';
import type { IamStatement } from './iam-policy.ts';

/** Where the keys of members are kept that agents read with their instance's role. */
export interface AgentPolicyOptions extends Pick<PolicyScope, 'partition' | 'region' | 'account'> {
  /** Names of parameters in SSM's Parameter Store, with or without the leading slash. */
  readonly parameters: readonly string[];
  /** Names or ARNs of secrets in Secrets Manager. */
  readonly secrets: readonly string[];
  /** ARNs of customers' keys that they are encrypted with. AWS's own keys need no right. */
  readonly kmsKeys: readonly string[];
}

/** The actions that an agent's key sources send, and what for. */
export const AGENT_CALLS = {
  'ssm:GetParameter': { why: 'reads the key of its own member from Parameter Store' },
  'secretsmanager:GetSecretValue': { why: 'reads the key of its own member from Secrets Manager' },
  /** Sent by the stores, with the agent's rights. */
  'kms:Decrypt': { why: 'the store opens the key of its own member, where a customer’s key closes it' },
} as const;

export type AgentCall = keyof typeof AGENT_CALLS;

const action = (name: AgentCall): readonly string[] => [name];

/** The key of its own member, for the role of its instance. An agent needs nothing else. */
export function agentStatements(options: AgentPolicyOptions): readonly IamStatement[] {
  const parameters = options.parameters.map((name) => parameterArn(options, name));
  const secrets = options.secrets.map((name) => secretArn(options, name));
  const allow = (Sid: string, Action: readonly string[], Resource: readonly string[]): IamStatement[] =>
    Resource.length === 0 ? [] : [{ Sid, Effect: 'Allow', Action, Resource }];
  const region = options.region;
  const stores = [...(parameters.length > 0 ? ['ssm'] : []), ...(secrets.length > 0 ? ['secretsmanager'] : [])];
  const through = stores.map((store) => `${store}.${region}.${domainOf(options)}`);
  return [
    ...allow('ReadOwnParameter', action('ssm:GetParameter'), parameters),
    ...allow('ReadOwnSecret', action('secretsmanager:GetSecretValue'), secrets),
    ...allow('OpenOwnKey', action('kms:Decrypt'), options.kmsKeys).map((one) => ({
      ...one,
      Condition: { StringLike: { 'kms:ViaService': through } },
    })),
  ];
}
