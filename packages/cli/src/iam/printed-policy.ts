import {
  agentStatements,
  coordinatorStatements,
  type IamPolicy,
  type IamStatement,
  MANAGED_POLICY_CHARACTERS_MAX,
  managedPolicies,
} from '@understudy/aws';
import { OperationError } from '@understudy/shared';

export interface PrintedPolicyOptions {
  readonly process: 'coordinator' | 'agent';
  readonly partition: string;
  readonly region?: string;
  readonly account?: string;
  readonly group?: readonly string[];
  readonly member?: string;
  readonly passRole?: readonly string[];
  readonly kmsKey?: readonly string[];
  readonly hostedZone?: readonly string[];
  readonly targetGroup?: readonly string[];
  readonly eventQueue?: readonly string[];
  readonly topic?: readonly string[];
  readonly eventBus?: readonly string[];
  readonly parameter?: readonly string[];
  readonly secretName?: readonly string[];
  readonly runCommands?: boolean;
  readonly agentPings?: boolean;
  readonly taggedResources?: boolean;
  readonly format: 'json' | 'cloudformation';
  /** Number of the one policy to print, counted from 1. Absent: all of them. */
  readonly part?: number;
}

export interface PrintedPolicy {
  readonly document: unknown;
  /** What the reader should know beside, one sentence each. */
  readonly notes: readonly string[];
}

/** The name that the documentation gives to the parameter of a member's key. */
const parameterOf = (group: string, member: string): string => `/understudy/keys/${group}/${member}`;

/** A template knows where it is rolled out; a document on its own does not. */
const placeOf = ({ format, partition, region, account }: PrintedPolicyOptions) =>
  format === 'cloudformation'
    ? {
        partition: '${AWS::Partition}',
        region: region ?? '${AWS::Region}',
        account: account ?? '${AWS::AccountId}',
      }
    : { partition, region: region ?? '*', account: account ?? '*' };

function agentOf(options: PrintedPolicyOptions): readonly IamStatement[] {
  const { group = [], member, parameter = [], secretName = [], kmsKey = [] } = options;
  const named = [...parameter];
  if (named.length + secretName.length === 0) {
    const [only, ...others] = group;
    if (only === undefined || member === undefined || others.length > 0)
      throw new OperationError(
        'CONFIG_INVALID',
        'an agent reads the key of one member: name --group and --member, or --parameter, or --secret-name',
      );
    named.push(parameterOf(only, member));
  }
  return agentStatements({ ...placeOf(options), parameters: named, secrets: secretName, kmsKeys: kmsKey });
}

function coordinatorOf(options: PrintedPolicyOptions): readonly IamStatement[] {
  const { group = [], passRole = [], kmsKey = [], taggedResources = false } = options;
  const { hostedZone = [], targetGroup = [], eventQueue = [], topic = [], eventBus = [] } = options;
  const { runCommands = false, agentPings = false, parameter = [], secretName = [] } = options;
  return coordinatorStatements({
    ...placeOf(options),
    ...{ groups: group, passRoles: passRole, kmsKeys: kmsKey, areResourcesTagged: taggedResources },
    ...{ hostedZones: hostedZone, targetGroups: targetGroup, eventQueues: eventQueue },
    ...{ topics: topic, eventBuses: eventBus, parameters: parameter, secrets: secretName },
    ...{ runsCommands: runCommands, tellsPings: agentPings },
  });
}

/** Texts that name what a template knows are put together by CloudFormation. */
function withSubstitutions(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('${AWS::') ? { 'Fn::Sub': value } : value;
  if (Array.isArray(value)) return value.map(withSubstitutions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withSubstitutions(member)]));
}

const suffixOf = (index: number): string => (index === 0 ? '' : String(index + 1));

const templateOf = (role: string, policies: readonly IamPolicy[]): object => ({
  AWSTemplateFormatVersion: '2010-09-09',
  Description: `Rights of an Understudy ${role}`,
  Resources: Object.fromEntries(
    policies.map((policy, index) => [
      `${role === 'agent' ? 'Agent' : 'Coordinator'}Policy${suffixOf(index)}`,
      { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: withSubstitutions(policy) } },
    ]),
  ),
});

const PASSES_NONE =
  'no --pass-role: members with an instance profile cannot be replaced; name the roles of their profiles';
const TAGS_OWN =
  'volumes and Elastic IP addresses of members need not be tagged: with --tagged-resources only tagged ones are touched';

/** A template attaches nothing by itself, and has all of them. */
function severalNote(count: number, format: PrintedPolicyOptions['format']): string {
  const parts = Array.from({ length: count }, (_, index) => `--part ${index + 1}`).join(', ');
  const how =
    format === 'cloudformation'
      ? 'the template has all of them, and the role needs every one in its ManagedPolicyArns'
      : `print each one (${parts}), make it (aws iam create-policy), and attach all to the role (aws iam attach-role-policy)`;
  return `these are ${count} policies, as one may have ${MANAGED_POLICY_CHARACTERS_MAX} characters: ${how}`;
}

function notesOf(options: PrintedPolicyOptions, policies: readonly IamPolicy[]): readonly string[] {
  const { process, format, passRole = [], taggedResources = false } = options;
  const several = policies.length > 1 ? [severalNote(policies.length, format)] : [];
  if (process === 'agent') return several;
  return [...several, ...(passRole.length === 0 ? [PASSES_NONE] : []), ...(taggedResources ? [] : [TAGS_OWN])];
}

/**
 * The policy of a role, as a document or as a CloudFormation template. Several documents where one
 * would be longer than IAM takes.
 * @throws CONFIG_INVALID
 */
export function printedPolicy(options: PrintedPolicyOptions): PrintedPolicy {
  const statements = options.process === 'agent' ? agentOf(options) : coordinatorOf(options);
  const policies = managedPolicies(statements);
  const { part } = options;
  const [only, ...others] = policies;
  const documents = part === undefined ? (others.length === 0 ? only : policies) : policies[part - 1];
  if (documents === undefined)
    throw new OperationError('CONFIG_INVALID', `there is no policy ${part}: there are ${policies.length}`);
  const document = options.format === 'cloudformation' ? templateOf(options.process, policies) : documents;
  return { document, notes: notesOf(options, policies) };
}
