import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { AWS_JSON_1_0 } from '../answers/json-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { SqsAction } from './actions.ts';
import { WAIT_MAX_MS } from './message-queue-over.ts';

const COMMANDS = {
  ReceiveMessage: ReceiveMessageCommand,
  DeleteMessage: DeleteMessageCommand,
  ChangeMessageVisibility: ChangeMessageVisibilityCommand,
  GetQueueAttributes: GetQueueAttributesCommand,
} satisfies Readonly<Record<SqsAction, unknown>>;

const CONNECT_MAX_MS = 2_000;

/**
 * `callTimeoutMs` is that of a call that waits for nothing; one that waits for messages has as much
 * time beyond its wait. Checksums are looked at message by message by the adapter: the SDK refuses
 * all messages of an answer for the sake of one.
 */
export function sdkSqsTransport(options: SdkTransportOptions): SdkTransport {
  const callTimeoutMs = options.callTimeoutMs + WAIT_MAX_MS;
  const connectTimeoutMs = options.connectTimeoutMs ?? Math.min(CONNECT_MAX_MS, Math.ceil(options.callTimeoutMs / 4));
  const config = clientConfigOf({ ...options, callTimeoutMs, connectTimeoutMs }, 1, CONNECT_MAX_MS);
  const client = new SQSClient({ ...config, md5: false });
  return sendOnceTransport({ name: 'SQS', commands: COMMANDS, form: AWS_JSON_1_0, client });
}
