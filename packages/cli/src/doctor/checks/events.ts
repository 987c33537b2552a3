import { isOperationError, type QueueAttributes } from '@understudy/shared';
import { awsRegionOf } from '@understudy/shared/node';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

/** What became of asking the queue of events. */
export type QueueAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly code: string; readonly text: string }
  | { readonly kind: 'told'; readonly attributes: QueueAttributes };

/** Events that wait although a leader reads them at once. */
const WAITING_MANY = 1_000;
const DEAD_LETTERS = 'give the queue a redrive policy, e.g. by deploy/cloudformation/events.yaml (docs/events.md)';

function refusal({ code, text }: Extract<QueueAnswer, { kind: 'refused' }>): Finding {
  if (code === 'CLOUD_DENIED')
    return fault(
      `the queue of events is closed to this host: ${text}`,
      'give the role the statement ReadEvents, with the ARN of the queue',
      'understudy iam-policy --event-queue ARN',
    );
  if (code === 'CLOUD_NOT_FOUND')
    return fault(
      `events.queueUrl names no queue: ${text}`,
      'correct it (output QueueUrl of the stack), or leave it out',
    );
  return warning(
    `the queue of events could not be asked: ${text}`,
    'see that SQS can be reached from here (NAT or a VPC endpoint), and that aws.region is the Region of the queue',
  );
}

/** Whether events can be read. Pure. */
export function judgeEvents(answer: QueueAnswer): readonly Finding[] {
  if (answer.kind === 'none')
    return [note('events.queueUrl is not set: everything is found by looking (docs/events.md)')];
  if (answer.kind === 'refused') return [refusal(answer)];
  const { arn, waiting, inFlight, deadLetter } = answer.attributes;
  return [
    ok(`the queue of events can be asked: ${arn}, ${waiting} waiting, ${inFlight} in flight`),
    ...(deadLetter === null
      ? [warning('the queue of events has no dead letters: what cannot be read comes again for ever', DEAD_LETTERS)]
      : []),
    ...(waiting >= WAITING_MANY
      ? [
          warning(
            `${waiting} events wait: nobody reads them, or somebody floods the queue`,
            'see that a coordinator leads and has events.queueUrl, and who may send to the queue',
          ),
        ]
      : []),
  ];
}

/**
 * Asks for the attributes only: a message that is received here would be hidden from the leader.
 */
export const events = check(
  'events',
  async ({ config, environment, clock }: CoordinatorHost): Promise<QueueAnswer> => {
    const { queueUrl, endpoint: own } = config.events;
    if (queueUrl === undefined) return { kind: 'none' };
    const { messageQueueOver, sdkSqsTransport, serviceEndpointOf } = await import('@understudy/aws');
    const { aws } = config;
    const endpoint = serviceEndpointOf({ ec2: aws.endpoint, own, variable: 'AWS_ENDPOINT_URL_SQS', environment });
    const region = awsRegionOf(aws.region, environment);
    const { callTimeoutMs } = aws;
    const sdk = sdkSqsTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
    try {
      const queue = messageQueueOver({ transport: sdk.send, clock, callTimeoutMs, queueUrl });
      return { kind: 'told', attributes: await queue.attributes() };
    } catch (error) {
      if (isOperationError(error)) return { kind: 'refused', code: error.code, text: error.message };
      throw error;
    } finally {
      sdk.close();
    }
  },
  judgeEvents,
);
