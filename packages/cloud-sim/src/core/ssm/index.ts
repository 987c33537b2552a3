import type {
  CancelCommandRequest,
  CommandInvocation,
  DescribeInstanceInformationRequest,
  DescribeInstanceInformationResult,
  GetCommandInvocationRequest,
  GetCommandInvocationResult,
  ListCommandInvocationsRequest,
  ListCommandInvocationsResult,
  SendCommandRequest,
  SendCommandResult,
} from '@aws-sdk/client-ssm';
import type { Handler } from '../actions/common.ts';
import { refuse } from '../ec2-error.ts';
import type { Call, Region } from '../region.ts';
import { SSM_PREFIX } from '../secrets/index.ts';
import type { SimInvocation } from './command.ts';
import { pingStatusOf, type SimNode } from './nodes.ts';

const DOCUMENT = 'AWS-RunShellScript';
/** GetCommandInvocation: the first 24,000 characters of stdout, 8,000 of stderr. */
const OUTPUT_MAX = 24_000;
const ERRORS_MAX = 8_000;
/** ListCommandInvocations with details: 2,500 characters of a plugin's output. */
const LISTED_OUTPUT_MAX = 2_500;
const DELIVERY_SECONDS_DEFAULT = 3_600;
const EXECUTION_SECONDS_DEFAULT = 3_600;
const PAGE_MAX = 50;
/** The document's own pattern of `executionTimeout`: at most 48 hours. */
const EXECUTION_TIMEOUT = /^[1-9][0-9]{0,5}$/;
const EXECUTION_SECONDS_MAX = 172_800;

/** @throws InvalidParameters */
function parametersOf({ Parameters = {} }: SendCommandRequest): { lines: readonly string[]; executionSeconds: number } {
  const { commands, executionTimeout, workingDirectory: _, ...others } = Parameters;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse('InvalidParameters', `${DOCUMENT} has no parameter ${unknown}`);
  if (!commands || commands.length === 0) return refuse('InvalidParameters', 'commands is missing');
  // The real service would put the value of a parameter there.
  if (commands.some((line) => line.includes('{{')))
    refuse('InvalidParameters', 'a value refers to a parameter, which is not simulated');
  const [text = String(EXECUTION_SECONDS_DEFAULT)] = executionTimeout ?? [];
  if (!EXECUTION_TIMEOUT.test(text) || Number(text) > EXECUTION_SECONDS_MAX)
    refuse('InvalidParameters', `executionTimeout ${text} is not allowed by the document`);
  return { lines: commands, executionSeconds: Number(text) };
}

/** @throws InvalidInstanceId: no agent is registered there, or the instance ends */
function requireNode(region: Region, instanceId: string): void {
  const state = region.instances.get(instanceId)?.state;
  const isEnding = state === undefined || state === 'shutting-down' || state === 'terminated';
  if (isEnding || !region.commands.nodes.has(instanceId))
    refuse('InvalidInstanceId', `Instances [[${instanceId}]] not in a valid state for account`);
}

const targetsOf = ({ InstanceIds = [], Targets = [] }: SendCommandRequest): readonly string[] => {
  if (Targets.length > 0) refuse('UnsupportedParameter', 'Targets are not simulated: name InstanceIds');
  if (InstanceIds.length === 0) refuse('InvalidParameters', 'name InstanceIds or Targets');
  if (new Set(InstanceIds).size !== InstanceIds.length) refuse('DuplicateInstanceId', '');
  return InstanceIds;
};

/**
 * `SendCommand`. There is no token: each call is a command of its own.
 * @throws InvalidDocument, InvalidInstanceId, InvalidParameters, ValidationException
 */
function sendCommand(region: Region, _call: Call, input: SendCommandRequest): SendCommandResult {
  if (input.DocumentName !== DOCUMENT) refuse('InvalidDocument', `Document ${input.DocumentName ?? ''} does not exist`);
  const { Comment: comment = '', TimeoutSeconds = DELIVERY_SECONDS_DEFAULT } = input;
  if (comment.length > 100) refuse('ValidationException', 'Comment: at most 100 characters');
  if (TimeoutSeconds < 30 || TimeoutSeconds > 2_592_000)
    refuse('ValidationException', `timeoutSeconds ${TimeoutSeconds}: Minimum is 30`);
  const { lines, executionSeconds } = parametersOf(input);
  const ids = targetsOf(input);
  for (const instanceId of ids) requireNode(region, instanceId);
  const commandId = region.commands.newId();
  const times = { deliveryMs: TimeoutSeconds * 1_000, executionMs: executionSeconds * 1_000 };
  for (const instanceId of ids) region.commands.send({ instanceId, comment, lines, ...times }, commandId);
  return {
    Command: {
      ...{ CommandId: commandId, Comment: comment, DocumentName: DOCUMENT, InstanceIds: [...ids] },
      ...{ RequestedDateTime: new Date(region.wallMs()), Status: 'Pending', StatusDetails: 'Pending' },
      ...{ TimeoutSeconds, TargetCount: ids.length, CompletedCount: 0, ErrorCount: 0 },
    },
  };
}

/** `Status` has fewer words than `StatusDetails`. */
const statusOf = ({ status }: SimInvocation): CommandInvocation['Status'] => {
  if (status === 'Delivery Timed Out' || status === 'Execution Timed Out') return 'TimedOut';
  return status === 'In Progress' ? 'InProgress' : status;
};

const isoOf = (wallMs: number | null): string => (wallMs === null ? '' : new Date(wallMs).toISOString());

/** `GetCommandInvocation`. @throws InvocationDoesNotExist, also a moment after it was sent */
function getCommandInvocation(
  { commands, nowMs }: Region,
  _call: Call,
  { CommandId, InstanceId }: GetCommandInvocationRequest,
): GetCommandInvocationResult {
  const found = commands.invocations.find((one) => one.commandId === CommandId && one.instanceId === InstanceId);
  if (!found || nowMs < found.shownAtMs) return refuse('InvocationDoesNotExist', '');
  const { result } = found;
  return {
    ...{ CommandId: found.commandId, InstanceId: found.instanceId, Comment: found.comment, DocumentName: DOCUMENT },
    ...{ PluginName: 'aws:runShellScript', ResponseCode: result?.exitCode ?? -1 },
    ...{ ExecutionStartDateTime: isoOf(found.begunAtWallMs), Status: statusOf(found), StatusDetails: found.status },
    ExecutionEndDateTime: found.begunAtWallMs === null ? '' : isoOf(found.endedAtWallMs),
    StandardOutputContent: (result?.output ?? '').slice(0, OUTPUT_MAX),
    StandardErrorContent: (result?.errors ?? '').slice(0, ERRORS_MAX),
  };
}

function listed(one: SimInvocation, details: boolean): CommandInvocation {
  const said = `${one.result?.output ?? ''}${one.result?.errors ?? ''}`;
  return {
    ...{ CommandId: one.commandId, InstanceId: one.instanceId, Comment: one.comment, DocumentName: DOCUMENT },
    ...{ RequestedDateTime: new Date(one.requestedAtWallMs), Status: statusOf(one), StatusDetails: one.status },
    CommandPlugins: details ? [{ Name: 'aws:runShellScript', Output: said.slice(0, LISTED_OUTPUT_MAX) }] : [],
  };
}

/** `ListCommandInvocations`: newest first. @throws InvalidFilterKey, InvalidNextToken */
function listCommandInvocations(
  region: Region,
  _call: Call,
  input: ListCommandInvocationsRequest,
): ListCommandInvocationsResult {
  const { CommandId, InstanceId, Filters = [], MaxResults = PAGE_MAX, NextToken, Details = false } = input;
  if (MaxResults < 1 || MaxResults > PAGE_MAX) refuse('ValidationException', `maxResults ${MaxResults}`);
  let afterWallMs = Number.NEGATIVE_INFINITY;
  for (const { key, value } of Filters) {
    if (key !== 'InvokedAfter') refuse('InvalidFilterKey', `The filter ${key ?? ''} is not simulated`);
    afterWallMs = Date.parse(value ?? '');
    if (Number.isNaN(afterWallMs)) refuse('ValidationException', `${value ?? ''} is no time`);
  }
  const from = NextToken === undefined ? 0 : Number(NextToken);
  if (!Number.isInteger(from)) refuse('InvalidNextToken', '');
  const all = region.commands.invocations
    .filter((one) => region.nowMs >= one.shownAtMs && one.requestedAtWallMs >= afterWallMs)
    .filter((one) => (CommandId ?? one.commandId) === one.commandId)
    .filter((one) => (InstanceId ?? one.instanceId) === one.instanceId)
    .reverse();
  const CommandInvocations = all.slice(from, from + MaxResults).map((one) => listed(one, Details));
  const next = from + MaxResults;
  return next < all.length ? { CommandInvocations, NextToken: String(next) } : { CommandInvocations };
}

/** `CancelCommand`: "no guarantee". What has ended stays as it is. @throws InvalidCommandId */
function cancelCommand(region: Region, _call: Call, { CommandId, InstanceIds = [] }: CancelCommandRequest): object {
  const all = region.commands.invocations.filter((one) => one.commandId === CommandId);
  if (all.length === 0) refuse('InvalidCommandId', '');
  const meant = InstanceIds.length === 0 ? all : all.filter((one) => InstanceIds.includes(one.instanceId));
  if (meant.length < InstanceIds.length) refuse('InvalidInstanceId', '');
  for (const one of meant) region.commands.cancel(one);
  return {};
}

const isShown = (region: Region, { instanceId }: SimNode): boolean =>
  region.instances.get(instanceId)?.state === 'running';

/** `DescribeInstanceInformation`. Stopped instances are not in it. @throws InvalidInstanceId */
function describeInstanceInformation(
  region: Region,
  _call: Call,
  { Filters = [] }: DescribeInstanceInformationRequest,
): DescribeInstanceInformationResult {
  const { nodes } = region.commands;
  const wanted: string[] = [];
  for (const { Key, Values = [] } of Filters) {
    if (Key !== 'InstanceIds') refuse('InvalidInstanceInformationFilterValue', `${Key ?? ''} is not simulated`);
    wanted.push(...Values);
  }
  for (const id of wanted) if (!nodes.has(id)) refuse('InvalidInstanceId', `Instances [[${id}]] not in a valid state`);
  const meant = [...nodes.values()].filter((one) => wanted.length === 0 || wanted.includes(one.instanceId));
  return {
    InstanceInformationList: meant
      .filter((one) => isShown(region, one))
      .map((one) => ({
        ...{ InstanceId: one.instanceId, PingStatus: pingStatusOf(one, region.nowMs, region.latency.speed) },
        ...{ LastPingDateTime: new Date(one.lastPingAtWallMs), PlatformType: 'Linux', ResourceType: 'EC2Instance' },
      })),
  };
}

/** The actions of Run Command that are simulated, with their prefix. */
export const SSM_HANDLERS = {
  [`${SSM_PREFIX}SendCommand` as const]: sendCommand,
  [`${SSM_PREFIX}GetCommandInvocation` as const]: getCommandInvocation,
  [`${SSM_PREFIX}ListCommandInvocations` as const]: listCommandInvocations,
  [`${SSM_PREFIX}CancelCommand` as const]: cancelCommand,
  [`${SSM_PREFIX}DescribeInstanceInformation` as const]: describeInstanceInformation,
} satisfies Record<string, Handler>;
