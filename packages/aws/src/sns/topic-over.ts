import {
  isOperationError,
  OperationError,
  type Raw,
  rawOf,
  textOf,
  type Topic,
  type TopicFacts,
} from '@understudy/shared';
import { sendOnce, type ServiceOptions } from '../transport/send-once.ts';
import { SNS_ACTIONS } from './actions.ts';

/** PublishInput: 262 144 bytes, body and attributes together, unless the topic says otherwise. */
export const MESSAGE_BYTES_MAX = 262_144;
/** PublishInput: fewer than 100 characters. */
const SUBJECT_MAX = 99;

/** Without line breaks, control characters and what older endpoints of SNS refuse in a subject. */
export const subjectOf = (text: string): string =>
  text
    .replaceAll('→', '->')
    .replaceAll(/[^\u0020-\u007e]+/g, ' ')
    .trim()
    .slice(0, SUBJECT_MAX)
    .trim();

const attributesOf = (all: Readonly<Record<string, string>>): Raw =>
  Object.fromEntries(
    Object.entries(all).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }] as const),
  );

const bytesOf = (body: string, attributes: Readonly<Record<string, string>>): number =>
  Buffer.byteLength(body) +
  Object.entries(attributes).reduce((sum, [name, value]) => sum + Buffer.byteLength(`${name}String${value}`), 0);

function factsIn(topicArn: string, raw: Raw): TopicFacts {
  const arn = textOf(raw.TopicArn);
  if (arn !== topicArn)
    throw new OperationError('CLOUD_UNAVAILABLE', `GetTopicAttributes: it is not about ${topicArn}`);
  return {
    ...{ arn, isFifo: raw.FifoTopic === 'true', kmsKey: textOf(raw.KmsMasterKeyId) },
    confirmedSubscriptions: Number(textOf(raw.SubscriptionsConfirmed) ?? 0),
  };
}

/** {@link Topic} over a transport. The end of its ARN says whether a topic keeps an order. */
export function topicOver({ topicArn, ...parts }: ServiceOptions & { readonly topicArn: string }): Topic {
  const send = sendOnce(parts, SNS_ACTIONS);
  const TopicArn = topicArn;
  return {
    publish: async ({ id, body, subject, orderedBy, attributes }, options) => {
      const all = { ...attributes, id };
      const bytes = bytesOf(body, all);
      if (bytes > MESSAGE_BYTES_MAX)
        throw new OperationError('CLOUD_REJECTED', `Publish: ${bytes} bytes, and SNS takes ${MESSAGE_BYTES_MAX}`);
      const input = {
        ...{ TopicArn, Message: body, Subject: subjectOf(subject), MessageAttributes: attributesOf(all) },
        ...(topicArn.endsWith('.fifo') && { MessageGroupId: orderedBy, MessageDeduplicationId: id }),
      };
      const messageId = textOf((await send('Publish', input, options)).MessageId);
      if (messageId !== null) return messageId;
      throw new OperationError('CLOUD_OUTCOME_UNKNOWN', 'Publish: the answer names no message: it is not SNS’s answer');
    },
    tryPublish: async (options) => {
      const input = { TopicArn, Message: 'understudy doctor', Subject: 'x'.repeat(SUBJECT_MAX + 2) };
      try {
        await send('Publish', input, options);
      } catch (error) {
        if (isOperationError(error) && error.code === 'CLOUD_REJECTED') return;
        throw error;
      }
    },
    facts: async (options) =>
      factsIn(topicArn, rawOf((await send('GetTopicAttributes', { TopicArn }, options)).Attributes)),
  };
}
