import { createHash } from 'node:crypto';
import { hasCode, type MessageQueue } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { messageQueueOver } from './message-queue-over.ts';

const QUEUE_URL = 'https://sqs.us-east-1.amazonaws.com/123456789012/events';
const answering = (answer: Record<string, unknown>): MessageQueue =>
  messageQueueOver({
    ...{ transport: async () => answer, clock: new SimClock(), callTimeoutMs: 1_000, queueUrl: QUEUE_URL },
  });
const receive = (answer: Record<string, unknown>) =>
  answering(answer).receive({ messagesMax: 2, waitMs: 0, hiddenForMs: 30_000 });

const md5 = (body: string): string => createHash('md5').update(body).digest('hex');
const MESSAGE = { MessageId: 'm', ReceiptHandle: 'h', Body: 'b', MD5OfBody: md5('b') };

test.each<readonly [string, Record<string, unknown>]>([
  ['messages that are no list', { Messages: {} }],
  ['more messages than were asked for', { Messages: [MESSAGE, MESSAGE, MESSAGE] }],
  ['a message without its handle', { Messages: [{ ...MESSAGE, ReceiptHandle: undefined }] }],
  ['a message without its body', { Messages: [{ ...MESSAGE, Body: undefined }] }],
  ['a message without its checksum', { Messages: [{ ...MESSAGE, MD5OfBody: undefined }] }],
])('%s: nobody’s messages', async (_, answer) => {
  await expect(receive(answer)).rejects.toSatisfy((error) => hasCode(error, 'CLOUD_UNAVAILABLE'));
});

test('a message that is not what was sent has no body; the others have theirs', async () => {
  const received = await receive({ Messages: [{ ...MESSAGE, MD5OfBody: md5('other') }, MESSAGE] });
  expect(received.map((one) => one.body)).toEqual([null, 'b']);
});

test('without the attributes that were asked for it is not known how often a message came', async () => {
  expect(await receive({ Messages: [MESSAGE] })).toMatchObject([{ receiveCount: null, sentAtWallMs: null }]);
});

const ATTRIBUTES = {
  QueueArn: 'arn:aws:sqs:us-east-1:123456789012:events',
  ApproximateNumberOfMessages: '3',
  ApproximateNumberOfMessagesNotVisible: '1',
  VisibilityTimeout: '30',
};

test('the attributes are believed of the queue that was asked for only', async () => {
  expect(await answering({ Attributes: ATTRIBUTES }).attributes()).toEqual({
    ...{ arn: ATTRIBUTES.QueueArn, waiting: 3, inFlight: 1, visibilityTimeoutMs: 30_000, deadLetter: null },
  });
  for (const part of [
    { QueueArn: 'arn:aws:sqs:us-east-1:123456789012:other' },
    { QueueArn: undefined },
    { ApproximateNumberOfMessages: 'many' },
  ])
    await expect(answering({ Attributes: { ...ATTRIBUTES, ...part } }).attributes()).rejects.toSatisfy((error) =>
      hasCode(error, 'CLOUD_UNAVAILABLE'),
    );
});

test.each<readonly [string, string, unknown]>([
  [
    'says where its dead letters go',
    '{"deadLetterTargetArn":"arn:d","maxReceiveCount":"5"}',
    { arn: 'arn:d', afterReceives: 5 },
  ],
  ['names no queue for them', '{"maxReceiveCount":5}', null],
  ['is no JSON', 'redrive', null],
])('a redrive policy that %s', async (_, RedrivePolicy, deadLetter) => {
  expect(await answering({ Attributes: { ...ATTRIBUTES, RedrivePolicy } }).attributes()).toMatchObject({ deadLetter });
});
