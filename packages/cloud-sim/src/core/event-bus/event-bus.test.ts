import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloudSim } from '../../cloud-sim.ts';
import { seedInstance } from '../../seed-instance.ts';
import type { SimQueue } from '../sqs/queue.ts';

let clock: SimClock;
let sim: CloudSim;
let queue: SimQueue;
let instanceId: string;

interface Envelope {
  readonly id: string;
  readonly time: string;
  readonly source: string;
  readonly resources: readonly string[];
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

const STATE = 'EC2 Instance State-change Notification';
const TYPES = [STATE, 'AWS API Call via CloudTrail', 'EBS Volume Notification', 'AWS Health Event'];
const policyFor = (rule: string, queueArn: string): string =>
  JSON.stringify({
    Statement: [
      {
        ...{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' },
        ...{ Resource: queueArn, Condition: { ArnEquals: { 'aws:SourceArn': rule } } },
      },
    ],
  });

const QUEUE_ARN = 'arn:aws:sqs:us-east-1:123456789012:events';
const RULE_ARN = 'arn:aws:events:us-east-1:123456789012:rule/ec2';

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock });
  ({ instanceId } = seedInstance(sim));
  queue = sim.queues.make({ name: 'events', policy: policyFor(RULE_ARN, QUEUE_ARN) });
  const pattern = {
    source: ['aws.ec2', 'aws.health'],
    'detail-type': [...TYPES, 'EC2 Spot Instance Interruption Warning'],
  };
  sim.events.putRule({ name: 'ec2', pattern, queueArn: queue.arn, deadLetterArn: null });
});

const told = (type?: string): readonly Envelope[] =>
  queue
    .bodies()
    .map((one) => JSON.parse(one) as Envelope)
    .filter((one) => type === undefined || one['detail-type'] === type);
const statesOf = () => told(STATE).map((one) => one.detail['state']);
const call = (action: string, input: Record<string, unknown>, reader = 'alice') =>
  clock.runUntilSettled(sim.call(action, input, { reader }));

test('a stop is told in all its states, in whole seconds, without why and by whom', async () => {
  await call('StopInstances', { InstanceIds: [instanceId] });
  await clock.advance(120_000);
  expect(new Set(statesOf())).toEqual(new Set(['stopped', 'stopping']));
  expect(told(STATE)[0]).toMatchObject({
    ...{ source: 'aws.ec2', resources: [`arn:aws:ec2:us-east-1:123456789012:instance/${instanceId}`] },
    time: expect.stringMatching(/T\d\d:\d\d:\d\dZ$/),
  });
  expect(Object.keys(told(STATE)[0]?.detail ?? {})).toEqual(['instance-id', 'state']);
});

describe('what CloudTrail tells of a call', () => {
  const calls = () => told('AWS API Call via CloudTrail').map((one) => one.detail);

  test('comes minutes later, with who made it and about which instances', async () => {
    await call('StopInstances', { InstanceIds: [instanceId] });
    await clock.advance(30_000);
    expect(calls()).toEqual([]);
    await clock.advance(400_000);
    expect(calls()).toMatchObject([
      {
        eventName: 'StopInstances',
        userIdentity: { arn: 'arn:aws:sts::123456789012:assumed-role/sim/alice' },
        requestParameters: { instancesSet: { items: [{ instanceId }] } },
      },
    ]);
    expect(calls()[0]).not.toHaveProperty('errorCode');
  });

  test('has an errorCode when it was refused, or only a trial', async () => {
    sim.setDeniedActions(['StopInstances']);
    await call('StopInstances', { InstanceIds: [instanceId] });
    sim.setDeniedActions([]);
    await call('TerminateInstances', { InstanceIds: [instanceId], DryRun: true });
    await clock.advance(400_000);
    expect(new Set(calls().map((one) => one['errorCode']))).toEqual(
      new Set(['Client.DryRunOperation', 'Client.UnauthorizedOperation']),
    );
  });

  test('is nothing without a trail, nor of reads, nor of what AWS does by itself', async () => {
    sim.events.hasTrail = false;
    await call('RebootInstances', { InstanceIds: [instanceId] });
    sim.events.hasTrail = true;
    await call('DescribeInstances', { InstanceIds: [instanceId] });
    sim.takeDown(instanceId, 'Server.ScheduledStop', 'stop');
    await clock.advance(400_000);
    expect(calls()).toEqual([]);
    expect(statesOf()).toContain('stopped');
  });
});

test('Spot interruptions and scheduled changes are told in their own irregular forms', async () => {
  sim.tellInterruption(instanceId, 'terminate');
  const event = { eventId: 'e1', code: 'instance-retirement', description: 'r', notBeforeWallMs: clock.wallMs() };
  sim.setScheduledEvents(instanceId, [event]);
  sim.setScheduledEvents(instanceId, [event]);
  await clock.advance(5_000);
  const az = sim.core.region.instances.get(instanceId)?.az ?? '';
  expect(told('EC2 Spot Instance Interruption Warning')[0]?.resources).toEqual([
    `arn:aws:ec2:${az}:instance/${instanceId}`,
  ]);
  expect(told('AWS Health Event')).toMatchObject([
    { resources: [instanceId], detail: { eventTypeCode: 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED' } },
  ]);
});

test('events can be lost, come twice, and come late and so in another order', async () => {
  const fault = (id: string, kind: 'event-lost' | 'event-duplicated' | 'event-delayed') =>
    sim.addFault({ id, action: 'events:Deliver', kind });
  fault('late', 'event-delayed');
  await call('StopInstances', { InstanceIds: [instanceId] });
  await clock.advance(60_000);
  expect(statesOf()).toEqual(['stopped']);
  await clock.advance(90_000);
  expect(statesOf()).toEqual(['stopped', 'stopping']);
  fault('lost', 'event-lost');
  fault('twice', 'event-duplicated');
  await call('StartInstances', { InstanceIds: [instanceId] });
  await clock.advance(30_000);
  expect(statesOf().slice(2)).toEqual(['running']);
  expect(['late', 'lost', 'twice'].map((id) => sim.fired(id))).toEqual([1, 1, 1]);
});

test('anybody who may put events on the bus can make one up', async () => {
  sim.forgeEvent({
    source: 'aws.ec2',
    'detail-type': STATE,
    detail: { 'instance-id': instanceId, state: 'terminated' },
  });
  await clock.advance(5_000);
  expect(statesOf()).toEqual(['terminated']);
});

test('what the policy of the queue does not let in is not delivered; where there is one, to the dead letters', async () => {
  const dead = sim.queues.make({ name: 'dead', policy: null });
  const other = sim.queues.make({ name: 'other', policy: policyFor('arn:aws:events:us-east-1:1:rule/x', QUEUE_ARN) });
  const pattern = { source: ['aws.ec2'] };
  sim.events.putRule({ name: 'elsewhere', pattern, queueArn: other.arn, deadLetterArn: dead.arn });
  sim.tellRebalance(instanceId);
  await clock.advance(5_000);
  expect([other.bodies().length, dead.bodies().length, sim.events.failedInvocations]).toEqual([0, 1, 1]);
});

test('a rule takes only what its pattern names, inside the detail too', async () => {
  sim.events.removeRule('ec2');
  const pattern = { detail: { state: ['terminated'] } };
  sim.events.putRule({ name: 'ec2', pattern, queueArn: queue.arn, deadLetterArn: null });
  await call('TerminateInstances', { InstanceIds: [instanceId] });
  await clock.advance(120_000);
  expect(statesOf()).toEqual(['terminated']);
});
