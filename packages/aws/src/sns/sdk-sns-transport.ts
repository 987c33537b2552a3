import { GetTopicAttributesCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SNS_QUERY } from '../answers/xml-answer.ts';
import type { SdkTransport, SdkTransportOptions } from '../sdk/client-config.ts';
import { sendOnceConfig, sendOnceTransport } from '../sdk/send-once-transport.ts';
import type { SnsAction } from './actions.ts';

const COMMANDS = {
  Publish: PublishCommand,
  GetTopicAttributes: GetTopicAttributesCommand,
} satisfies Readonly<Record<SnsAction, unknown>>;

/** `region`: that of the topic, since SNS takes messages in the topic's own Region only. */
export function sdkSnsTransport(options: SdkTransportOptions): SdkTransport {
  const client = new SNSClient(sendOnceConfig(options));
  return sendOnceTransport({ name: 'SNS', commands: COMMANDS, form: SNS_QUERY, client });
}
