import { createHash } from 'node:crypto';
import {
  type MessageQueue,
  OperationError,
  type QueueAttributes,
  type QueueMessage,
  type Raw,
  rawListOf,
  rawOf,
  textOf,
} from '@understudy/shared';
import { sendOnce, type ServiceOptions } from '../transport/send-once.ts';
import { SQS_ACTIONS } from './actions.ts';

/** SQS waits no longer for a message. */
export const WAIT_MAX_MS = 20_000;

const ATTRIBUTES = [
  'QueueArn',
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'VisibilityTimeout',
  'RedrivePolicy',
] as const;

const notTheirs = (action: string, what: string): OperationError =>
  new OperationError('CLOUD_UNAVAILABLE', `${action}: ${what}: it is not SQS's answer`);

const secondsOf = (ms: number): number => Math.ceil(ms / 1_000);

/** A number that is sent as text. Null: it is none. */
function numberIn(value: unknown): number | null {
  const text = textOf(value);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** @throws CLOUD_UNAVAILABLE for what is no message (S18) */
function messageIn(raw: Raw): QueueMessage {
  const [messageId, receiptHandle, body] = [textOf(raw.MessageId), textOf(raw.ReceiptHandle), textOf(raw.Body)];
  const md5 = textOf(raw.MD5OfBody);
  if (messageId === null || receiptHandle === null || body === null || md5 === null)
    throw notTheirs('ReceiveMessage', 'a message without id, handle, body or checksum');
  const isWhole = createHash('md5').update(body).digest('hex') === md5.toLowerCase();
  const attributes = rawOf(raw.Attributes);
  return {
    ...{ messageId, receiptHandle, body: isWhole ? body : null },
    receiveCount: numberIn(attributes.ApproximateReceiveCount),
    sentAtWallMs: numberIn(attributes.SentTimestamp),
  };
}

function deadLetterIn(policy: unknown): QueueAttributes['deadLetter'] {
  const text = textOf(policy);
  if (text === null) return null;
  try {
    const { deadLetterTargetArn, maxReceiveCount } = rawOf(JSON.parse(text));
    const [arn, count] = [textOf(deadLetterTargetArn), Number(maxReceiveCount)];
    return arn === null || !Number.isInteger(count) ? null : { arn, afterReceives: count };
  } catch {
    return null;
  }
}

/** Account and name of a queue, as its URL ends. */
const pathOf = (queueUrl: string): string => queueUrl.split('/').slice(-2).join(':');

/** @throws CLOUD_UNAVAILABLE where they are not about the queue that was asked for (S18) */
function attributesIn(queueUrl: string, raw: Raw): QueueAttributes {
  const arn = textOf(raw.QueueArn);
  const waiting = numberIn(raw.ApproximateNumberOfMessages);
  const inFlight = numberIn(raw.ApproximateNumberOfMessagesNotVisible);
  const timeout = numberIn(raw.VisibilityTimeout);
  if (
    arn === null ||
    waiting === null ||
    inFlight === null ||
    timeout === null ||
    !arn.endsWith(`:${pathOf(queueUrl)}`)
  )
    throw notTheirs('GetQueueAttributes', `it is not about ${queueUrl}`);
  return { arn, waiting, inFlight, visibilityTimeoutMs: timeout * 1_000, deadLetter: deadLetterIn(raw.RedrivePolicy) };
}

/** {@link MessageQueue} over a transport. */
export function messageQueueOver({ queueUrl, ...parts }: ServiceOptions & { readonly queueUrl: string }): MessageQueue {
  const send = sendOnce(parts, SQS_ACTIONS);
  const sendAndWait = sendOnce({ ...parts, callTimeoutMs: parts.callTimeoutMs + WAIT_MAX_MS }, SQS_ACTIONS);
  const QueueUrl = queueUrl;
  return {
    receive: async ({ messagesMax, waitMs, hiddenForMs }, options) => {
      const input = {
        ...{ QueueUrl, MaxNumberOfMessages: messagesMax, WaitTimeSeconds: secondsOf(waitMs) },
        VisibilityTimeout: secondsOf(hiddenForMs),
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
      };
      const { Messages } = await (waitMs > 0 ? sendAndWait : send)('ReceiveMessage', input, options);
      // With nothing there the member is absent.
      if (Messages === undefined) return [];
      if (!Array.isArray(Messages) || Messages.length > messagesMax)
        throw notTheirs('ReceiveMessage', 'no list of as many messages');
      return rawListOf(Messages).map(messageIn);
    },
    delete: async (ReceiptHandle, options) => {
      await send('DeleteMessage', { QueueUrl, ReceiptHandle }, options);
    },
    hide: async (ReceiptHandle, hiddenForMs, options) => {
      const input = { QueueUrl, ReceiptHandle, VisibilityTimeout: secondsOf(hiddenForMs) };
      await send('ChangeMessageVisibility', input, options);
    },
    attributes: async (options) => {
      const answer = await send('GetQueueAttributes', { QueueUrl, AttributeNames: [...ATTRIBUTES] }, options);
      return attributesIn(queueUrl, rawOf(answer.Attributes));
    },
  };
}
