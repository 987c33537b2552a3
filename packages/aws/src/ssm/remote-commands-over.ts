import {
  type CloudCallOptions,
  type CommandInvocation,
  hasCode,
  isOperationError,
  type ManagedInstance,
  OperationError,
  type Raw,
  rawListOf,
  rawOf,
  type RemoteCommand,
  type RemoteCommands,
  textOf,
} from '@understudy/shared';
import { sendOnce, type SendOnce, type ServiceOptions } from '../transport/send-once.ts';
import { SSM_ACTIONS, type SsmAction } from './actions.ts';
import { commandStateOf } from './command-state.ts';

/** SendCommand: the least and the most seconds until delivery. */
const DELIVERY_SECONDS = { min: 30, max: 2_592_000 } as const;
/** AWS-RunShellScript takes no longer `executionTimeout`. */
const EXECUTION_SECONDS_MAX = 172_800;
/** Pages of invocations that are looked through for one of ours. */
const PAGES_MAX = 20;
const PAGE = 50;
/** A clock of ours that is ahead of the service's must not hide what was just sent. */
const CLOCK_APART_MS = 300_000;

const DOCUMENT = 'AWS-RunShellScript';

type Send = SendOnce<SsmAction>;

const notTheirs = (action: string, what: string, isChange = false): OperationError =>
  new OperationError(
    isChange ? 'CLOUD_OUTCOME_UNKNOWN' : 'CLOUD_UNAVAILABLE',
    `${action}: ${what}: it is not Systems Manager's answer`,
  );

const seconds = (ms: number, min: number, max: number): number => Math.min(max, Math.max(min, Math.ceil(ms / 1_000)));

const isUpstream = (error: unknown, ...codes: readonly string[]): boolean =>
  isOperationError(error) && codes.includes(error.upstreamCode ?? '');

const inputOf = ({ instanceId, comment, lines, deliverWithinMs, runWithinMs }: RemoteCommand) => ({
  ...{ DocumentName: DOCUMENT, InstanceIds: [instanceId], Comment: comment },
  TimeoutSeconds: seconds(deliverWithinMs, DELIVERY_SECONDS.min, DELIVERY_SECONDS.max),
  Parameters: {
    commands: [...lines],
    executionTimeout: [String(seconds(runWithinMs, 1, EXECUTION_SECONDS_MAX))],
  },
});

async function sendCommand(send: Send, command: RemoteCommand, options?: CloudCallOptions) {
  if (command.comment.length > 100 || command.lines.some((line) => line.includes('{{')))
    throw new OperationError('CLOUD_REJECTED', 'SendCommand was not sent: a comment too long, or {{ in a line');
  try {
    const { Command } = await send('SendCommand', inputOf(command), options);
    const { CommandId, Comment } = rawOf(Command);
    const commandId = textOf(CommandId);
    if (commandId === null || Comment !== command.comment)
      throw notTheirs('SendCommand', 'a command without id, or another one', true);
    return { commandId };
  } catch (error) {
    if (!isUpstream(error, 'InvalidInstanceId')) throw error;
    const text = `SendCommand: no agent of Systems Manager is known on ${command.instanceId}, or the instance ends`;
    throw new OperationError('CLOUD_NOT_FOUND', text, { cause: error, upstreamCode: 'InvalidInstanceId' });
  }
}

/** By the service's own time of asking. */
const requestedAt = (raw: Raw): number => {
  const at = raw.RequestedDateTime;
  return at instanceof Date ? at.getTime() : 0;
};

async function findCommands(
  send: Send,
  { instanceId, comment, sentAfterWallMs }: Parameters<RemoteCommands['find']>[0],
  options?: CloudCallOptions,
): Promise<readonly string[]> {
  const value = new Date(sentAfterWallMs - CLOCK_APART_MS).toISOString().replace(/\.\d+Z$/, 'Z');
  const base = { InstanceId: instanceId, MaxResults: PAGE, Filters: [{ key: 'InvokedAfter', value }] };
  const found: Raw[] = [];
  let token: string | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const input = token === null ? base : { ...base, NextToken: token };
    const { CommandInvocations, NextToken } = await send('ListCommandInvocations', input, options);
    if (!Array.isArray(CommandInvocations)) throw notTheirs('ListCommandInvocations', 'no list of invocations');
    const ours = rawListOf(CommandInvocations).filter((one) => one.Comment === comment);
    found.push(...ours.filter((one) => one.InstanceId === instanceId));
    token = textOf(NextToken);
    if (token === null || token === '') break;
    if (pages === PAGES_MAX - 1)
      throw new OperationError('CLOUD_UNAVAILABLE', `ListCommandInvocations: more than ${PAGES_MAX} pages`);
  }
  const newestFirst = found.sort((one, other) => requestedAt(other) - requestedAt(one));
  return newestFirst.flatMap((one) => textOf(one.CommandId) ?? []);
}

/** @throws CLOUD_UNAVAILABLE for what is about another command, or in no state (S18) */
function invocationIn(raw: Raw, commandId: string, instanceId: string): CommandInvocation {
  const state = commandStateOf(textOf(raw.Status), textOf(raw.StatusDetails));
  if (raw.CommandId !== commandId || raw.InstanceId !== instanceId || state === null)
    throw notTheirs('GetCommandInvocation', 'another command, or one in no state');
  const code = raw.ResponseCode;
  return {
    ...{ commandId, instanceId, state },
    // −1: it has not begun, or the instance has not received it.
    exitCode: typeof code === 'number' && code >= 0 ? code : null,
    hasBegun: (textOf(raw.ExecutionStartDateTime) ?? '') !== '',
    output: textOf(raw.StandardOutputContent) ?? '',
    errors: textOf(raw.StandardErrorContent) ?? '',
  };
}

async function invocationOf(
  send: Send,
  { commandId, instanceId }: { readonly commandId: string; readonly instanceId: string },
  options?: CloudCallOptions,
): Promise<CommandInvocation | null> {
  try {
    const input = { CommandId: commandId, InstanceId: instanceId };
    return invocationIn(await send('GetCommandInvocation', input, options), commandId, instanceId);
  } catch (error) {
    if (isUpstream(error, 'InvocationDoesNotExist')) return null;
    throw error;
  }
}

const PINGS: Readonly<Record<string, ManagedInstance['ping']>> = {
  Online: 'Online',
  ConnectionLost: 'ConnectionLost',
  Inactive: 'Inactive',
};

async function managedInstance(
  send: Send,
  instanceId: string,
  options?: CloudCallOptions,
): Promise<ManagedInstance | null> {
  const input = { Filters: [{ Key: 'InstanceIds', Values: [instanceId] }] };
  let answer: Raw;
  try {
    answer = await send('DescribeInstanceInformation', input, options);
  } catch (error) {
    // An id that no agent was ever known by.
    if (isUpstream(error, 'InvalidInstanceId') || hasCode(error, 'CLOUD_NOT_FOUND')) return null;
    throw error;
  }
  const list = answer.InstanceInformationList;
  if (!Array.isArray(list)) throw notTheirs('DescribeInstanceInformation', 'no list of instances');
  const found = rawListOf(list).find((one) => one.InstanceId === instanceId);
  if (!found) return null;
  const ping = PINGS[textOf(found.PingStatus) ?? ''];
  if (!ping) throw notTheirs('DescribeInstanceInformation', 'an instance without its ping status');
  const at = found.LastPingDateTime;
  return { instanceId, ping, lastPingAtWallMs: at instanceof Date ? at.getTime() : null };
}

/** {@link RemoteCommands} over a transport. */
export function remoteCommandsOver(parts: ServiceOptions): RemoteCommands {
  const send = sendOnce(parts, SSM_ACTIONS);
  return {
    send: (command, options) => sendCommand(send, command, options),
    find: (wanted, options) => findCommands(send, wanted, options),
    invocation: (command, options) => invocationOf(send, command, options),
    cancel: async ({ commandId, instanceId }, options) => {
      await send('CancelCommand', { CommandId: commandId, InstanceIds: [instanceId] }, options);
    },
    managed: (instanceId, options) => managedInstance(send, instanceId, options),
  };
}
