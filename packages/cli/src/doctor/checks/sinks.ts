import { isOperationError, type TopicFacts } from '@understudy/shared';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

/** What became of asking one topic or bus. */
export interface SinkAnswer {
  readonly kind: 'topic' | 'event-bus';
  readonly name: string;
  readonly arn: string;
  /** Null: it was not told, or it is a bus. */
  readonly topic: TopicFacts | null;
  /** Null: neither the look nor the trial failed. */
  readonly refusal: { readonly code: string; readonly text: string } | null;
}

function refusal({ kind, name, arn }: SinkAnswer, { code, text }: NonNullable<SinkAnswer['refusal']>): Finding {
  const option = kind === 'topic' ? '--topic' : '--event-bus';
  if (code === 'CLOUD_DENIED')
    return fault(
      `${name} (${arn}) is closed to this host: ${text}`,
      'give the role the statements for it, and the use of its key where it is encrypted (docs/notifications.md)',
      `understudy iam-policy ${option} ${arn}`,
    );
  if (code === 'CLOUD_NOT_FOUND')
    return fault(`${name}: ${arn} does not exist: ${text}`, 'correct its arn in notify, or make it');
  return warning(
    `${name} (${arn}) could not be asked: ${text}`,
    'see that SNS or EventBridge can be reached from here (NAT or a VPC endpoint)',
  );
}

function judgeSink(answer: SinkAnswer): readonly Finding[] {
  const { name, arn, topic } = answer;
  if (answer.refusal) return [refusal(answer, answer.refusal)];
  const isEncrypted = topic !== null && topic.kmsKey !== null;
  return [
    ok(`${name} can be told: ${arn}${isEncrypted ? `, encrypted with ${topic.kmsKey}` : ''}`),
    ...(isEncrypted
      ? [note(`${name} is encrypted: whether its key may be used is seen by the first notice only`)]
      : []),
    ...(topic?.confirmedSubscriptions === 0
      ? [warning(`nobody has subscribed to ${arn}`, 'subscribe to it, or leave it out of notify')]
      : []),
  ];
}

/** Whether topics and buses can be told. Pure. */
export const judgeSinks = (answers: readonly SinkAnswer[]): readonly Finding[] =>
  answers.length === 0
    ? [note('notify names no topic and no bus (docs/notifications.md)')]
    : answers.flatMap(judgeSink);

type Asked = Pick<SinkAnswer, 'kind' | 'name' | 'arn'>;

async function answerOf(asked: Asked, ask: () => Promise<TopicFacts | null>): Promise<SinkAnswer> {
  try {
    return { ...asked, topic: await ask(), refusal: null };
  } catch (error) {
    if (!isOperationError(error)) throw error;
    return { ...asked, topic: null, refusal: { code: error.code, text: error.message } };
  }
}

/**
 * Looks, and asks for something that cannot be carried out: nothing is published. AWS is asked for
 * the right first, as far as is known.
 */
export const sinks = check(
  'sinks',
  async ({ config, environment, clock }: CoordinatorHost): Promise<readonly SinkAnswer[]> => {
    const { topics, eventBuses } = config.notify;
    if (topics.length + eventBuses.length === 0) return [];
    const aws = await import('@understudy/aws');
    const { callTimeoutMs, endpoint: ec2 } = config.aws;
    const opened = (open: typeof aws.sdkSnsTransport, arn: string, variable: string) => {
      const endpoint = aws.serviceEndpointOf({ ec2, own: undefined, variable, environment });
      const given = endpoint === undefined ? {} : { endpoint };
      const sdk = open({ region: aws.regionOfArn(arn), callTimeoutMs, ...given });
      return { sdk, parts: { transport: sdk.send, clock, callTimeoutMs } };
    };
    const ofTopics = topics.map(async ({ name, arn }) => {
      const { sdk, parts } = opened(aws.sdkSnsTransport, arn, 'AWS_ENDPOINT_URL_SNS');
      const topic = aws.topicOver({ ...parts, topicArn: arn });
      const ask = async () => {
        const facts = await topic.facts();
        await topic.tryPublish();
        return facts;
      };
      return answerOf({ kind: 'topic', name, arn }, ask).finally(() => sdk.close());
    });
    const ofBuses = eventBuses.map(async ({ name, arn }) => {
      const { sdk, parts } = opened(aws.sdkEventBridgeTransport, arn, 'AWS_ENDPOINT_URL_EVENTBRIDGE');
      const bus = aws.eventBusOver({ ...parts, busArn: arn });
      const ask = async () => {
        await bus.mustExist();
        await bus.tryPut();
        return null;
      };
      return answerOf({ kind: 'event-bus', name, arn }, ask).finally(() => sdk.close());
    });
    return Promise.all([...ofTopics, ...ofBuses]);
  },
  judgeSinks,
);
