import { hasCode, type RemoteCommands } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { commandStateOf } from './command-state.ts';
import { remoteCommandsOver } from './remote-commands-over.ts';

const answering = (answer: Record<string, unknown>): RemoteCommands =>
  remoteCommandsOver({ transport: async () => answer, clock: new SimClock(), callTimeoutMs: 1_000 });
const ONE = { commandId: 'c-1', instanceId: 'i-1' };
const COMMAND = { instanceId: 'i-1', comment: 'us', lines: ['true'], deliverWithinMs: 1, runWithinMs: 1 };

test.each<readonly [string | null, string | null, string | null]>([
  ['TimedOut', 'Delivery Timed Out', 'delivery-timed-out'],
  ['TimedOut', 'DeliveryTimedOut', 'delivery-timed-out'],
  ['TimedOut', 'Execution Timed Out', 'execution-timed-out'],
  // Which of the two is not said: the one that may have run.
  ['TimedOut', 'Invented', 'delivery-timed-out'],
  ['InProgress', 'In Progress', 'in-progress'],
  ['Pending', 'Delayed', 'delayed'],
  ['Failed', 'Undeliverable', 'undeliverable'],
  ['Failed', 'Terminated', 'terminated'],
  ['Failed', 'Invalid Platform', 'invalid-platform'],
  ['Failed', 'Access Denied', 'access-denied'],
  ['Cancelled', 'Cancelled', 'cancelled'],
  ['Failed', null, 'failed'],
  ['Invented', 'Invented', null],
  [null, null, null],
])('status %s with details %s: %s', (status, details, state) => {
  expect(commandStateOf(status, details)).toBe(state);
});

describe('what is not about our command is nobody’s answer', () => {
  const GOOD = { CommandId: 'c-1', InstanceId: 'i-1', Status: 'Success', StatusDetails: 'Success', ResponseCode: 0 };
  test.each<readonly [string, Record<string, unknown>]>([
    ['another command', { ...GOOD, CommandId: 'c-2' }],
    ['another instance', { ...GOOD, InstanceId: 'i-2' }],
    ['no state', { ...GOOD, Status: undefined, StatusDetails: undefined }],
  ])('%s', async (_, answer) => {
    await expect(answering(answer).invocation(ONE)).rejects.toSatisfy((e) => hasCode(e, 'CLOUD_UNAVAILABLE'));
  });

  test('a send that is answered with another command may have been sent', async () => {
    const answer = { Command: { CommandId: 'c-1', Comment: 'theirs' } };
    await expect(answering(answer).send(COMMAND)).rejects.toSatisfy((e) => hasCode(e, 'CLOUD_OUTCOME_UNKNOWN'));
  });

  test('no list of invocations, or of instances', async () => {
    const wanted = { instanceId: 'i-1', comment: 'us', sentAfterWallMs: 0 };
    await expect(answering({}).find(wanted)).rejects.toSatisfy((e) => hasCode(e, 'CLOUD_UNAVAILABLE'));
    await expect(answering({}).managed('i-1')).rejects.toSatisfy((e) => hasCode(e, 'CLOUD_UNAVAILABLE'));
  });
});

test('the least time until delivery is 30 s; both times go as whole seconds, each in its own place', async () => {
  const sent: Record<string, unknown>[] = [];
  const commands = remoteCommandsOver({
    ...{ clock: new SimClock(), callTimeoutMs: 1_000 },
    transport: async (_, input) => {
      sent.push(input);
      return { Command: { CommandId: 'c-1', Comment: 'us' } };
    },
  });
  await commands.send({ ...COMMAND, deliverWithinMs: 5_000, runWithinMs: 15_001 });
  expect(sent).toEqual([
    {
      ...{ DocumentName: 'AWS-RunShellScript', InstanceIds: ['i-1'], Comment: 'us', TimeoutSeconds: 30 },
      Parameters: { commands: ['true'], executionTimeout: ['16'] },
    },
  ]);
});
