import { OperationError } from '@understudy/shared';
import { actionsOf } from './calls.ts';
import type { PolicyScope } from './policy-scope.ts';
import { type IamCondition, STATEMENTS, type StatementFacts, type StatementName } from './statements.ts';

/** A statement of an IAM policy, in IAM's own words. */
export interface IamStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: IamCondition;
}

export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly IamStatement[];
}

/** What is left out is as wide as {@link PolicyScope} says. */
export type IamPolicyOptions = Partial<PolicyScope>;

/** IAM: characters of a managed policy. Blanks are not counted. */
export const MANAGED_POLICY_CHARACTERS_MAX = 6_144;

const WIDEST: PolicyScope = {
  ...{ partition: 'aws', region: '*', account: '*' },
  ...{ groups: [], passRoles: [], kmsKeys: [], hostedZones: [], targetGroups: [], eventQueues: [] },
  ...{ topics: [], eventBuses: [], parameters: [], secrets: [] },
  ...{ runsCommands: false, tellsPings: false, areResourcesTagged: false },
};

const FACTS: Readonly<Record<StatementName, StatementFacts>> = STATEMENTS;

function statementOf(name: StatementName, scope: PolicyScope): readonly IamStatement[] {
  const { resources, condition } = FACTS[name];
  const Resource = resources(scope);
  if (Resource.length === 0) return [];
  const Condition = condition?.(scope) ?? {};
  const bounds = Object.keys(Condition).length === 0 ? {} : { Condition };
  return [{ Sid: name, Effect: 'Allow', Action: actionsOf(name), Resource, ...bounds }];
}

/** The permissions of a coordinator's role, and no more, as one list of statements. */
export function coordinatorStatements(options: IamPolicyOptions = {}): readonly IamStatement[] {
  const scope = { ...WIDEST, ...options };
  return (Object.keys(STATEMENTS) as StatementName[]).flatMap((name) => statementOf(name, scope));
}

const policyOf = (Statement: readonly IamStatement[]): IamPolicy => ({ Version: '2012-10-17', Statement });

const charactersOf = (policy: IamPolicy): number => JSON.stringify(policy).length;

/**
 * The statements as managed policies of at most `charactersMax` each, in order. All of them are to
 * be attached.
 * @throws CONFIG_INVALID where one statement alone is longer
 */
export function managedPolicies(
  statements: readonly IamStatement[],
  charactersMax: number = MANAGED_POLICY_CHARACTERS_MAX,
): readonly IamPolicy[] {
  const policies: IamPolicy[] = [];
  for (const statement of statements) {
    const last = policies.at(-1);
    const longer = policyOf([...(last?.Statement ?? []), statement]);
    if (last && charactersOf(longer) <= charactersMax) policies[policies.length - 1] = longer;
    else policies.push(policyOf([statement]));
  }
  const tooLong = policies.find((policy) => charactersOf(policy) > charactersMax);
  if (!tooLong) return policies;
  const named = tooLong.Statement[0]?.Sid ?? '';
  throw new OperationError('CONFIG_INVALID', `statement ${named} is longer than a managed policy may be: name fewer`);
}
