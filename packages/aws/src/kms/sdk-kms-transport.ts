import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { invariant } from '@understudy/shared';
import { checkAnswers } from '../answers/check-answers.ts';
import { AWS_JSON_1_1 } from '../answers/json-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../ec2/sdk-transport.ts';

const COMMANDS = { DescribeKey: DescribeKeyCommand } as const;
/** The actions of KMS that are sent. */
export type KmsAction = keyof typeof COMMANDS;

const isAction = (action: string): action is KmsAction => Object.hasOwn(COMMANDS, action);

/** KMS is a side question, so nobody waits long for a connection to it. */
const CONNECT_MAX_MS = 1_000;

/** The real SDK over HTTP. It sends once, because its callers look again anyhow. */
export function sdkKmsTransport(options: SdkTransportOptions): SdkTransport {
  const client = new KMSClient(clientConfigOf(options, 1, CONNECT_MAX_MS));
  return {
    send: async (action, input, callOptions) => {
      invariant(isAction(action), `no SDK command of KMS for ${action}`);
      const command = new COMMANDS[action](input as never);
      checkAnswers(command.middlewareStack, action, AWS_JSON_1_1);
      const signal = callOptions?.signal;
      return { ...(await client.send(command, signal ? { abortSignal: signal } : {})) };
    },
    close: () => client.destroy(),
  };
}
