import type { CloudSim, SimQueue, UnrulyBus } from '@understudy/cloud-sim';
import type { MemberId } from '@understudy/shared';
import type { SeededRandom } from '@understudy/shared/testing';
import { pick, streamOf } from './random-streams.ts';
import type { World } from './world.ts';

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

const UNRULY: Readonly<Record<World['events'], UnrulyBus>> = {
  off: { lost: 0, duplicated: 0, late: 0 },
  on: { lost: 0, duplicated: 0, late: 0 },
  late: { lost: 0, duplicated: 0, late: 0.7 },
  doubled: { lost: 0, duplicated: 0.7, late: 0.2 },
  lost: { lost: 0.34, duplicated: 0, late: 0 },
  forged: { lost: 0, duplicated: 0.1, late: 0.1 },
};

/** What needs to be known of a cluster to make events up about it. */
interface Forgeable {
  readonly shape: { readonly seed: number };
  readonly kernel: { setTimer(delayMs: number, callback: () => void): unknown; wallMs(): number };
  readonly cloud: CloudSim;
  readonly eventQueue: SimQueue | null;
  readonly members: readonly MemberId[];
  activeInstanceOf(member: MemberId): string | null;
}

const FORGED_EVERY_MS = 5_000;

/** Events come as badly as the world says, from the beginning to the end. */
export function makeUnruly(cluster: Forgeable, how: World['events']): void {
  cluster.cloud.events.unruly = UNRULY[how];
  if (how === 'doubled' && cluster.eventQueue)
    cluster.eventQueue.unruly = { redelivered: 0.3, afterDelete: 0.3, missed: 0.3 };
  if (how === 'forged') forgeOn(cluster, streamOf(cluster.shape.seed, 'forged'), 0);
}

function forgeOn(cluster: Forgeable, random: SeededRandom, nth: number): void {
  cluster.kernel.setTimer(FORGED_EVERY_MS, () => {
    const instanceId = cluster.activeInstanceOf(pick(random, cluster.members)) ?? 'i-0ffffffffffffffff';
    const state = pick(random, ['stopping', 'stopped', 'terminated', 'running']);
    cluster.cloud.forgeEvent({
      ...{ version: '0', id: `forged-${nth}`, 'detail-type': 'EC2 Instance State-change Notification' },
      ...{ source: 'aws.ec2', time: '2026-01-01T00:00:00Z', resources: [] },
      detail: { 'instance-id': instanceId, state },
    });
    if (nth % 5 === 0) forgeDeed(cluster, instanceId, nth);
    forgeOn(cluster, random, nth + 1);
  });
}

/** Somebody is said to have ended the instance a minute ago: history may keep that, and no more. */
function forgeDeed({ cloud, kernel }: Forgeable, instanceId: string, nth: number): void {
  cloud.forgeEvent({
    ...{ version: '0', id: `deed-${nth}`, 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.ec2' },
    ...{ time: '2026-01-01T00:00:00Z', resources: [] },
    detail: {
      ...{ eventID: `deed-${nth}`, eventName: 'TerminateInstances', requestID: 'r', userAgent: 'made-up' },
      eventTime: new Date(kernel.wallMs() - 60_000).toISOString(),
      requestParameters: { instancesSet: { items: [{ instanceId }] } },
    },
  });
}
