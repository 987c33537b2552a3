import type {
  GetTopicAttributesInput,
  GetTopicAttributesResponse,
  MessageAttributeValue,
  PublishInput,
  PublishResponse,
} from '@aws-sdk/client-sns';
import type { Handler } from '../actions/common.ts';
import { Ec2Error, refuse } from '../ec2-error.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import type { Published, SimTopic } from './topics.ts';

/** Before its actions in faults, denied actions and the event log. */
export const SNS_PREFIX = 'sns:';

/** PublishInput: body and attributes together. */
const BYTES_MAX = 262_144;
/** PublishInput: fewer than 100 characters. */
const SUBJECT_MAX = 99;
const ID = /^[\w!"#$%&'()*+,./:;<=>?@[\\\]^`{|}~-]{1,128}$/;
const TYPE = /^(?:String|String\.Array|Number|Binary)(?:\.[\w.-]+)?$/;

const invalid = (what: string): never => refuse('InvalidParameter', `Invalid parameter: ${what}`);

/** @throws NotFound, InvalidParameter: an ARN of another Region is no topic that this one knows */
function requireTopic({ name, topics }: Region, arn: string): SimTopic {
  const topic = topics.byArn(arn);
  if (topic) return topic;
  const [prefix, , service, region] = arn.split(':');
  if (prefix !== 'arn' || service !== 'sns' || region !== name) return invalid('TopicArn');
  throw new Ec2Error('NotFound', 'Topic does not exist', 404);
}

/** @throws InvalidParameter */
function checkSubject(subject: string): void {
  if (subject === '' || subject.length > SUBJECT_MAX || /\p{Cc}/u.test(subject)) invalid('Subject');
}

/** @throws InvalidParameter: fields of a FIFO topic, and only there */
function checkOrder(topic: SimTopic, { MessageGroupId, MessageDeduplicationId }: PublishInput): void {
  if (!topic.isFifo) {
    if (MessageDeduplicationId !== undefined)
      invalid('The request includes MessageDeduplicationId parameter that is not valid for this topic type');
    return;
  }
  if (MessageGroupId === undefined) invalid('The MessageGroupId parameter is required for FIFO topics');
  if (!ID.test(MessageGroupId ?? '')) invalid('MessageGroupId');
  if (MessageDeduplicationId === undefined && !topic.settings.isContentDeduplicated)
    invalid('The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided');
  if (MessageDeduplicationId !== undefined && !ID.test(MessageDeduplicationId)) invalid('MessageDeduplicationId');
}

function attributeOf(name: string, { DataType = '', StringValue }: MessageAttributeValue) {
  if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || /^(?:aws|amazon)\./i.test(name) || !TYPE.test(DataType))
    refuse('ParameterValueInvalid', `The message attribute '${name}' has an invalid name or type`);
  if (!DataType.startsWith('Binary') && (StringValue ?? '') === '')
    refuse('ParameterValueInvalid', `The message attribute '${name}' must contain non-empty message attribute value`);
  return [name, { type: DataType, value: StringValue ?? '' }] as const;
}

/** What goes to queues. @throws InvalidParameter: `json` without a default */
function messageFor({ Message = '', MessageStructure }: PublishInput): string {
  if (MessageStructure === undefined) return Message;
  if (MessageStructure !== 'json') invalid('MessageStructure');
  try {
    const parsed = JSON.parse(Message) as Readonly<Record<string, unknown>>;
    const text = parsed['sqs'] ?? parsed['default'];
    if (typeof parsed['default'] === 'string' && typeof text === 'string') return text;
  } catch {
    // Refused below.
  }
  return invalid('Message Structure - No default entry in JSON message body');
}

function sizeOf(message: string, attributes: Published['attributes']): number {
  const parts = Object.entries(attributes).map(([name, { type, value }]) => `${name}${type}${value}`);
  return Buffer.byteLength(message) + Buffer.byteLength(parts.join(''));
}

/** `Publish` to a topic. @throws NotFound, InvalidParameter, ParameterValueInvalid */
function publish(region: Region, _call: Call, input: PublishInput): PublishResponse {
  const { TopicArn, TargetArn, PhoneNumber, Message = '', Subject, MessageAttributes = {} } = input;
  const arn = TopicArn ?? TargetArn;
  if (PhoneNumber !== undefined || arn === undefined) return invalid('TopicArn or TargetArn Reason: no value for them');
  const topic = requireTopic(region, arn);
  if (Message === '') invalid('Empty message');
  if (Subject !== undefined) checkSubject(Subject);
  checkOrder(topic, input);
  const attributes = Object.fromEntries(Object.entries(MessageAttributes).map(([name, one]) => attributeOf(name, one)));
  if (sizeOf(Message, attributes) > BYTES_MAX) invalid('Message too long');
  const message = messageFor(input);
  const { MessageDeduplicationId } = input;
  const deduplicationId = topic.isFifo ? (MessageDeduplicationId ?? message) : null;
  const MessageId = topic.publish({ message, subject: Subject ?? null, attributes, deduplicationId });
  return { MessageId };
}

/** `GetTopicAttributes`. @throws NotFound */
function getTopicAttributes(region: Region, _call: Call, input: GetTopicAttributesInput): GetTopicAttributesResponse {
  const topic = requireTopic(region, input.TopicArn ?? '');
  const { subscriptions, kmsKey, isContentDeduplicated } = topic.settings;
  return {
    Attributes: {
      ...{ TopicArn: topic.arn, Owner: ACCOUNT_ID, DisplayName: '', SubscriptionsPending: '0' },
      ...{ SubscriptionsConfirmed: String(subscriptions.length), SubscriptionsDeleted: '0' },
      ...(kmsKey !== null && { KmsMasterKeyId: kmsKey }),
      ...(topic.isFifo && { FifoTopic: 'true', ContentBasedDeduplication: String(isContentDeduplicated) }),
    },
  };
}

/** The actions of SNS that are simulated, with their prefix. */
export const SNS_HANDLERS = {
  'sns:Publish': publish,
  'sns:GetTopicAttributes': getTopicAttributes,
} satisfies Record<string, Handler>;
