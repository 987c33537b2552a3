import { type CloudSim, type SimQueue } from '@understudy/cloud-sim';

export const EVENTS_QUEUE = 'understudy-events';

const RULE = 'understudy';
const SOURCES = ['aws.ec2', 'aws.health', 'aws.cloudwatch'];

/** What `deploy/cloudformation/events.yaml` makes: a rule, the queue, its policy, dead letters. */
export function makeEventQueue(cloud: CloudSim): SimQueue {
  const dead = cloud.queues.make({ name: `${EVENTS_QUEUE}-dead` });
  const arn = dead.arn.replace(/-dead$/, '');
  const statement = {
    ...{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: arn },
    Condition: { ArnEquals: { 'aws:SourceArn': cloud.events.arnOf(RULE) } },
  };
  const queue = cloud.queues.make({
    ...{ name: EVENTS_QUEUE, visibilityTimeoutMs: 30_000, deadLetter: { arn: dead.arn, afterReceives: 5 } },
    policy: JSON.stringify({ Statement: [statement] }),
  });
  cloud.events.putRule({ name: RULE, pattern: { source: SOURCES }, queueArn: arn, deadLetterArn: dead.arn });
  return queue;
}
