import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { AWS_JSON_1_1 } from '../answers/json-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { KmsAction } from './actions.ts';

const COMMANDS = { DescribeKey: DescribeKeyCommand } as const satisfies Readonly<Record<KmsAction, unknown>>;

/** KMS is a side question, so nobody waits long for a connection to it. */
const CONNECT_MAX_MS = 1_000;

export function sdkKmsTransport(options: SdkTransportOptions): SdkTransport {
  const client = new KMSClient(clientConfigOf(options, 1, CONNECT_MAX_MS));
  return sendOnceTransport({ name: 'KMS', commands: COMMANDS, form: AWS_JSON_1_1, client });
}
