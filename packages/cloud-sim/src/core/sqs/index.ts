import type {
  ChangeMessageVisibilityRequest,
  DeleteMessageRequest,
  GetQueueAttributesRequest,
  GetQueueAttributesResult,
  GetQueueUrlRequest,
  GetQueueUrlResult,
  Message,
  ReceiveMessageRequest,
  ReceiveMessageResult,
  SendMessageRequest,
  SendMessageResult,
} from '@aws-sdk/client-sqs';
import type { Handler } from '../actions/common.ts';
import { refuse } from '../ec2-error.ts';
import type { Call, Region } from '../region.ts';
import type { Received, SimQueue } from './queue.ts';

/** Before its actions in faults, denied actions and the event log. */
export const SQS_PREFIX = 'sqs:';
export const RECEIVE = 'sqs:ReceiveMessage';

const MESSAGES_MAX = 10;
const WAIT_MAX_SECONDS = 20;
const HIDDEN_MAX_SECONDS = 43_200;
const DELAY_MAX_SECONDS = 900;
/** SendMessage: 1 MiB, body and attributes. */
const BODY_BYTES_MAX = 1_048_576;
/** SendMessage: #x9, #xA, #xD and what XML 1.0 takes beside them. */
const ILLEGAL = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** @throws InvalidParameterValue */
function within(name: string, value: number, from: number, to: number): number {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  return refuse(
    'InvalidParameterValue',
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${from} and ${to}, if provided.`,
  );
}

const msOf = (region: Region, seconds: number): number => (seconds * 1_000) / region.latency.speed;

/** How long a receive waits for messages, ms. @throws InvalidParameterValue */
export function waitOf(region: Region, { WaitTimeSeconds = 0 }: ReceiveMessageRequest): number {
  return msOf(region, within('WaitTimeSeconds', WaitTimeSeconds, 0, WAIT_MAX_SECONDS));
}

type WantedAttributes = Pick<ReceiveMessageRequest, 'MessageSystemAttributeNames' | 'AttributeNames'>;

/** Only what was asked for. */
function attributesOf({ message, receiveCount }: Received, wanted: WantedAttributes): Record<string, string> {
  const names = [...(wanted.MessageSystemAttributeNames ?? []), ...(wanted.AttributeNames ?? [])] as readonly string[];
  const all: Record<string, string> = {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(message.sentAtWallMs),
    SenderId: 'AIDASIMULATED',
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name)));
}

function viewOf({ queues }: Region, received: Received, wanted: WantedAttributes): Message {
  const { message, receiptHandle } = received;
  const Attributes = attributesOf(received, wanted);
  const Body = message.body === queues.spoilt ? `${message.body}?` : message.body;
  return {
    ...{ MessageId: message.id, ReceiptHandle: receiptHandle, MD5OfBody: message.md5, Body },
    ...(Object.keys(Attributes).length > 0 && { Attributes }),
  };
}

/**
 * `ReceiveMessage`. With nothing there the member is absent.
 * @throws QueueDoesNotExist, OverLimit
 */
function receiveMessage(region: Region, _call: Call, input: ReceiveMessageRequest): ReceiveMessageResult {
  const queue = region.queues.require(input.QueueUrl ?? '');
  const max = within('MaxNumberOfMessages', input.MaxNumberOfMessages ?? 1, 1, MESSAGES_MAX);
  const seconds = within('VisibilityTimeout', input.VisibilityTimeout ?? 0, 0, HIDDEN_MAX_SECONDS);
  const hiddenForMs =
    input.VisibilityTimeout === undefined ? queue.settings.visibilityTimeoutMs : msOf(region, seconds);
  const received = queue.receive(max, hiddenForMs, waitOf(region, input) > 0);
  return received.length === 0 ? {} : { Messages: received.map((one) => viewOf(region, one, input)) };
}

/** `DeleteMessage`. @throws QueueDoesNotExist, ReceiptHandleIsInvalid */
function deleteMessage(
  region: Region,
  _call: Call,
  { QueueUrl = '', ReceiptHandle = '' }: DeleteMessageRequest,
): object {
  region.queues.require(QueueUrl).delete(ReceiptHandle);
  return {};
}

/** `ChangeMessageVisibility`. @throws InvalidParameterValue, MessageNotInflight */
function changeMessageVisibility(region: Region, _call: Call, input: ChangeMessageVisibilityRequest): object {
  const queue = region.queues.require(input.QueueUrl ?? '');
  const seconds = within('VisibilityTimeout', input.VisibilityTimeout ?? -1, 0, HIDDEN_MAX_SECONDS);
  queue.hide(input.ReceiptHandle ?? '', msOf(region, seconds));
  return {};
}

function attributesOfQueue(region: Region, queue: SimQueue): Record<string, string> {
  const { deadLetter, policy, visibilityTimeoutMs, retentionMs } = queue.settings;
  const seconds = (ms: number) => String(Math.round((ms * region.latency.speed) / 1_000));
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(queue.waiting),
    ApproximateNumberOfMessagesNotVisible: String(queue.inFlight),
    VisibilityTimeout: seconds(visibilityTimeoutMs),
    MessageRetentionPeriod: seconds(retentionMs),
    ...(deadLetter && {
      RedrivePolicy: JSON.stringify({
        ...{ deadLetterTargetArn: deadLetter.arn, maxReceiveCount: deadLetter.afterReceives },
      }),
    }),
    ...(policy !== null && { Policy: policy }),
  };
}

/** `GetQueueAttributes`: only what was asked for. @throws QueueDoesNotExist */
function getQueueAttributes(region: Region, _call: Call, input: GetQueueAttributesRequest): GetQueueAttributesResult {
  const all = attributesOfQueue(region, region.queues.require(input.QueueUrl ?? ''));
  const names = (input.AttributeNames ?? []) as readonly string[];
  const Attributes = Object.fromEntries(
    Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name)),
  );
  return Object.keys(Attributes).length === 0 ? {} : { Attributes };
}

/** `GetQueueUrl`. @throws QueueDoesNotExist */
function getQueueUrl(region: Region, _call: Call, { QueueName = '' }: GetQueueUrlRequest): GetQueueUrlResult {
  const queue = region.queues.byName(QueueName);
  return queue ? { QueueUrl: queue.url } : refuse('QueueDoesNotExist', 'The specified queue does not exist.');
}

/** `SendMessage`. @throws QueueDoesNotExist, InvalidMessageContents, InvalidParameterValue */
function sendMessage(region: Region, _call: Call, input: SendMessageRequest): SendMessageResult {
  const queue = region.queues.require(input.QueueUrl ?? '');
  const { MessageBody = '', DelaySeconds = 0 } = input;
  if (MessageBody === '') refuse('MissingParameter', 'The request must contain the parameter MessageBody.');
  if (ILLEGAL.test(MessageBody)) refuse('InvalidMessageContents', 'Invalid characters found.');
  if (Buffer.byteLength(MessageBody) > BODY_BYTES_MAX)
    refuse(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${BODY_BYTES_MAX} bytes.`,
    );
  const delayMs = msOf(region, within('DelaySeconds', DelaySeconds, 0, DELAY_MAX_SECONDS));
  const { id, md5 } = queue.send(MessageBody, delayMs);
  return { MessageId: id, MD5OfMessageBody: md5 };
}

/** The actions of SQS that are simulated, with their prefix. */
export const SQS_HANDLERS = {
  [RECEIVE]: receiveMessage,
  'sqs:DeleteMessage': deleteMessage,
  'sqs:ChangeMessageVisibility': changeMessageVisibility,
  'sqs:GetQueueAttributes': getQueueAttributes,
  'sqs:GetQueueUrl': getQueueUrl,
  'sqs:SendMessage': sendMessage,
} satisfies Record<string, Handler>;
