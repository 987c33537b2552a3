import { describe, expect, test } from 'vitest';
import { type CloudEvent, readCloudEvent } from './cloud-event.ts';

const ID = 'i-1234567890abcdef0';
const OTHER = 'i-0fedcba0987654321';
const envelope = (detailType: string, detail: object, over: object = {}) =>
  JSON.stringify({
    ...{ version: '0', id: 'e-1', 'detail-type': detailType, source: 'aws.ec2', account: '123456789012' },
    ...{ time: '2026-11-11T21:29:54Z', region: 'us-east-1', resources: [], detail, ...over },
  });
const hint = (body: string) => readCloudEvent(body) as Extract<CloudEvent, { kind: 'hint' }>;

const CALL = {
  ...{ eventVersion: '1.09', eventID: 'ct-1', eventTime: '2026-11-28T03:59:00Z', eventSource: 'ec2.amazonaws.com' },
  ...{ eventName: 'TerminateInstances', userAgent: 'aws-cli/2', requestID: 'r-1' },
  userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::123456789012:assumed-role/ops/alice' },
  requestParameters: { instancesSet: { items: [{ instanceId: ID }, { instanceId: OTHER }] } },
};

describe('what an event names, in each of AWS’s own shapes', () => {
  test.each<readonly [string, string, readonly string[], object]>([
    [
      'a state',
      envelope('EC2 Instance State-change Notification', { 'instance-id': ID, state: 'stopping' }),
      [ID],
      { type: 'state-change', state: 'stopping' },
    ],
    [
      'a Spot interruption, whose ARN has a zone for a Region',
      envelope(
        'EC2 Spot Instance Interruption Warning',
        { 'instance-id': ID, 'instance-action': 'terminate' },
        { resources: [`arn:aws:ec2:us-east-2a:instance/${ID}`] },
      ),
      [ID],
      { type: 'spot-interruption' },
    ],
    [
      'a rebalance',
      envelope('EC2 Instance Rebalance Recommendation', { 'instance-id': ID }),
      [ID],
      { type: 'rebalance' },
    ],
    [
      'a reservation that ends, with a text for the list of resources',
      envelope('EC2 Capacity Reservation Instance Interruption Warning', { 'instance-id': ID }, { resources: 'arn' }),
      [ID],
      { type: 'reservation-interruption' },
    ],
    [
      'AWS Health, by its entities, looked up in the status checks',
      envelope(
        'AWS Health Event',
        {
          eventArn: 'arn:h',
          communicationId: 'c-1',
          page: '1',
          affectedEntities: [{ entityValue: ID }, { entityValue: 'vol-1' }],
        },
        { source: 'aws.health', resources: [ID] },
      ),
      [ID],
      { type: 'health', wantsStatus: true, key: 'arn:h|c-1|1' },
    ],
    [
      'Health that is public: nobody',
      envelope('AWS Health Event', { eventArn: 'arn:h' }, { source: 'aws.health' }),
      [],
      { type: 'health' },
    ],
    [
      'an alarm, by the dimension of its metric',
      envelope(
        'CloudWatch Alarm State Change',
        { configuration: { metrics: [{ metricStat: { metric: { dimensions: { InstanceId: ID } } } }] } },
        { source: 'aws.cloudwatch' },
      ),
      [ID],
      { type: 'alarm', wantsStatus: true },
    ],
    [
      'a volume: nothing that a look at an instance would show',
      envelope('EBS Volume Notification', { event: ' initializeVolume', result: 'succeeded' }),
      [],
      { type: 'volume' },
    ],
    ['a call', envelope('AWS API Call via CloudTrail', CALL), [ID, OTHER], { type: 'api-call', key: 'ct-1' }],
    [
      'a call about one instance',
      envelope('AWS API Call via CloudTrail', { ...CALL, requestParameters: { instanceId: ID } }),
      [ID],
      {},
    ],
  ])('%s', (_, body, instanceIds, rest) => {
    expect(readCloudEvent(body)).toMatchObject({ kind: 'hint', instanceIds, ...rest });
  });
});

describe('who made a call', () => {
  test('is the identity that CloudTrail names, when, and under which request', () => {
    expect(hint(envelope('AWS API Call via CloudTrail', CALL)).deed).toEqual({
      ...{ action: 'TerminateInstances', by: 'arn:aws:sts::123456789012:assumed-role/ops/alice' },
      ...{ atWallMs: Date.UTC(2026, 10, 28, 3, 59), requestId: 'r-1', eventId: 'ct-1', isOurs: false },
    });
  });

  test.each([
    [
      'another service for somebody',
      { arn: 'arn:x', invokedBy: 'autoscaling.amazonaws.com' },
      'arn:x, invoked by autoscaling.amazonaws.com',
    ],
    ['AWS by itself', { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' }, 'ec2.amazonaws.com'],
    ['the root user without ARN', { type: 'Root' }, 'Root'],
    ['nobody who is named', {}, 'somebody unknown'],
    ['who would write on our terminal', { arn: 'arn:\u001b[2J' }, 'arn:␛[2J'],
  ])('%s', (_, userIdentity, by) => {
    expect(hint(envelope('AWS API Call via CloudTrail', { ...CALL, userIdentity })).deed?.by).toBe(by);
  });

  test.each([
    ['aws-sdk-js/3.1169.0 ua/2.1 os/linux understudy/1', true],
    ['understudy/1', true],
    ['[understudy/1]', true],
    ['notunderstudy/1', false],
    ['aws-cli/2 (understudy)', false],
  ])('by %s it is ours: %s', (userAgent, isOurs) => {
    expect(hint(envelope('AWS API Call via CloudTrail', { ...CALL, userAgent })).deed?.isOurs).toBe(isOurs);
  });

  test('a call that was refused, or only tried, is no deed, and nothing to look at', () => {
    for (const errorCode of ['Client.UnauthorizedOperation', 'Client.DryRunOperation'])
      expect(readCloudEvent(envelope('AWS API Call via CloudTrail', { ...CALL, errorCode }))).toMatchObject({
        ...{ deed: null, instanceIds: [], isRefused: true },
      });
  });

  test('without a moment or an id there is no deed', () => {
    for (const part of [{ eventTime: 'yesterday' }, { eventID: undefined }])
      expect(hint(envelope('AWS API Call via CloudTrail', { ...CALL, ...part })).deed).toBeNull();
  });
});

describe('left for the dead letters', () => {
  test.each<readonly [string, string | null]>([
    ['what is not what was sent', null],
    ['what is no JSON', '<xml>'],
    ['a bare value', '42'],
    ['a list', '[]'],
    ['no detail', JSON.stringify({ id: 'e', 'detail-type': 'x', source: 'aws.ec2' })],
    ['no id', envelope('x', {}, { id: '' })],
    ['more than an event can have', envelope('x', { text: 'x'.repeat(262_144) })],
  ])('%s', (_, body) => {
    expect(readCloudEvent(body)).toMatchObject({ kind: 'unreadable' });
  });
});

test.each<readonly [string, string]>([
  ['of a type that nobody here reads', envelope('EC2 AMI State Change', { ImageId: 'ami-1' })],
  ['of a name that objects have', envelope('constructor', {})],
  ['of another source than that type has', envelope('AWS Health Event', {}, { source: 'custom' })],
])('an event %s is of no use', (_, body) => {
  expect(readCloudEvent(body)).toMatchObject({ kind: 'unknown' });
});

test.each<readonly [string, object]>([
  ['ids that are none', { 'instance-id': '../../etc' }],
  ['an id that is a number', { 'instance-id': 7 }],
  ['no id', {}],
])('%s name nobody', (_, detail) => {
  expect(hint(envelope('EC2 Instance State-change Notification', detail)).instanceIds).toEqual([]);
});

test('of a page with more than a hundred instances a hundred are looked at', () => {
  const affectedEntities = Array.from({ length: 300 }, (_, at) => ({
    entityValue: `i-${String(at).padStart(17, '0')}`,
  }));
  const body = envelope('AWS Health Event', { affectedEntities }, { source: 'aws.health' });
  expect(hint(body).instanceIds).toHaveLength(100);
});
