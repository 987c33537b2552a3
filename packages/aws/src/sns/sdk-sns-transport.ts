import { GetTopicAttributesCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SNS_QUERY } from '../answers/xml-answer.ts';
import { clientConfigOf, type SdkTransport, type SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { SnsAction } from './actions.ts';

const COMMANDS = {
  Publish: PublishCommand,
  GetTopicAttributes: GetTopicAttributesCommand,
} satisfies Readonly<Record<SnsAction, unknown>>;

const CONNECT_MAX_MS = 2_000;

/** `region`: that of the topic, since SNS takes messages in the topic's own Region only. */
export function sdkSnsTransport(options: SdkTransportOptions): SdkTransport {
  const client = new SNSClient(clientConfigOf(options, 1, CONNECT_MAX_MS));
  return sendOnceTransport({ name: 'SNS', commands: COMMANDS, form: SNS_QUERY, client });
}
