import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  GetParameterCommand,
  ListCommandInvocationsCommand,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { AWS_JSON_1_1 } from '../answers/json-answer.ts';
import type { SdkTransport, SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceConfig, sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { SsmAction } from './actions.ts';

const COMMANDS = {
  SendCommand: SendCommandCommand,
  CancelCommand: CancelCommandCommand,
  GetCommandInvocation: GetCommandInvocationCommand,
  ListCommandInvocations: ListCommandInvocationsCommand,
  DescribeInstanceInformation: DescribeInstanceInformationCommand,
  GetParameter: GetParameterCommand,
} satisfies Readonly<Record<SsmAction, unknown>>;

/** One attempt: the SDK would repeat a command that is sent, and what is sent twice runs twice. */
export function sdkSsmTransport(options: SdkTransportOptions): SdkTransport {
  const client = new SSMClient(sendOnceConfig(options));
  return sendOnceTransport({ name: 'Systems Manager', commands: COMMANDS, form: AWS_JSON_1_1, client });
}
