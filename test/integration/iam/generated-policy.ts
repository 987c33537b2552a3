import { coordinatorStatements, managedPolicies } from '@understudy/aws';
import { type Authorize, policyEvaluator } from '@understudy/cloud-sim';

const ACCOUNT = '123456789012';

/** The roles of members' instance profiles. In cloud-sim a role has its profile's name. */
export const roleOf = (profile: string): string => `arn:aws:iam::${ACCOUNT}:role/${profile}`;

interface Under {
  readonly groups: readonly string[];
  readonly roles?: readonly string[];
  readonly hostedZones?: readonly string[];
  readonly targetGroups?: readonly string[];
  readonly eventQueues?: readonly string[];
  readonly runsCommands?: boolean;
  readonly topics?: readonly string[];
  readonly eventBuses?: readonly string[];
  readonly parameters?: readonly string[];
  readonly secrets?: readonly string[];
  /** An action that the policy lacks, as when somebody took it out. */
  readonly without?: string;
}

/**
 * What IAM says under the policy that `understudy iam-policy` prints, narrowed to cloud-sim's
 * Region and account, and to tagged volumes and addresses. In every evaluation.
 */
export function underGeneratedPolicy({
  groups,
  roles = [],
  hostedZones = [],
  targetGroups = [],
  eventQueues = [],
  runsCommands = false,
  topics = [],
  eventBuses = [],
  parameters = [],
  secrets = [],
  without,
}: Under): Authorize {
  const statements = coordinatorStatements({
    ...{ region: 'us-east-1', account: ACCOUNT, groups },
    ...{ passRoles: roles.map(roleOf), hostedZones, targetGroups, eventQueues },
    ...{ topics, eventBuses, runsCommands, parameters, secrets },
  });
  const left = statements.map((one) => ({ ...one, Action: one.Action.filter((action) => action !== without) }));
  return policyEvaluator(managedPolicies(left));
}
