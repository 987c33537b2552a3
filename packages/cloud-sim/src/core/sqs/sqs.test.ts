import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloudSim, type SimReply } from '../../cloud-sim.ts';
import { IN_FLIGHT_MAX, type SimQueue } from './queue.ts';

let clock: SimClock;
let sim: CloudSim;
let queue: SimQueue;

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock });
  queue = sim.queues.make({ name: 'q' });
});

const call = (action: string, input: Record<string, unknown>): Promise<SimReply> =>
  clock.runUntilSettled(sim.call(`sqs:${action}`, { QueueUrl: queue.url, ...input }));
const bodiesOf = (reply: SimReply): readonly string[] =>
  'output' in reply ? ((reply.output['Messages'] ?? []) as { Body: string }[]).map((one) => one.Body) : [];

describe('SQS refuses', () => {
  test.each<readonly [string, string, Record<string, unknown>, string]>([
    [
      'a body with characters that XML does not know',
      'SendMessage',
      { MessageBody: 'a\u0000' },
      'InvalidMessageContents',
    ],
    ['a body of more than a mebibyte', 'SendMessage', { MessageBody: 'x'.repeat(1_048_577) }, 'InvalidParameterValue'],
    [
      'a delay of more than 15 minutes',
      'SendMessage',
      { MessageBody: 'x', DelaySeconds: 901 },
      'InvalidParameterValue',
    ],
    ['more than ten messages', 'ReceiveMessage', { MaxNumberOfMessages: 11 }, 'InvalidParameterValue'],
    ['a wait of more than 20 s', 'ReceiveMessage', { WaitTimeSeconds: 21 }, 'InvalidParameterValue'],
    ['more than 12 hours', 'ReceiveMessage', { VisibilityTimeout: 43_201 }, 'InvalidParameterValue'],
    ['a handle of another form', 'DeleteMessage', { ReceiptHandle: 'x' }, 'ReceiptHandleIsInvalid'],
    ['a queue of another account', 'ReceiveMessage', { QueueUrl: 'https://sqs/2/q' }, 'QueueDoesNotExist'],
  ])('%s', async (_, action, input, code) => {
    expect(await call(action, input)).toMatchObject({ error: { code } });
  });
});

test('messages come in no order', async () => {
  const bodies = Array.from({ length: 10 }, (_, at) => String(at));
  for (const body of bodies) sim.sendToQueue('q', body);
  const received = bodiesOf(await call('ReceiveMessage', { MaxNumberOfMessages: 10 }));
  expect(received.toSorted()).toEqual(bodies);
  expect(received).not.toEqual(bodies);
});

test('a short poll may miss what is there; it is there all the same', async () => {
  queue.unruly = { redelivered: 0, afterDelete: 0, missed: 1 };
  sim.sendToQueue('q', 'one');
  expect(bodiesOf(await call('ReceiveMessage', {}))).toEqual([]);
  queue.unruly = { redelivered: 0, afterDelete: 0, missed: 0 };
  expect(bodiesOf(await call('ReceiveMessage', {}))).toEqual(['one']);
});

test('of two long polls one gets the message, and the other waits on', async () => {
  const polls = [1, 2].map(() => sim.call('sqs:ReceiveMessage', { QueueUrl: queue.url, WaitTimeSeconds: 20 }));
  await clock.advance(5_000);
  sim.sendToQueue('q', 'one');
  const replies = await clock.runUntilSettled(Promise.all(polls));
  expect(replies.flatMap(bodiesOf)).toEqual(['one']);
  expect(clock.monotonicMs()).toBeGreaterThan(20_000);
});

test('with too many in flight a short poll is refused, and a long one is told nothing', async () => {
  for (let at = 0; at < IN_FLIGHT_MAX; at += 1) queue.send('x');
  for (let at = 0; at < IN_FLIGHT_MAX / 10_000; at += 1) queue.receive(10_000, 60_000, true);
  queue.send('one more');
  expect(await call('ReceiveMessage', {})).toMatchObject({ error: { code: 'OverLimit' } });
  expect(bodiesOf(await call('ReceiveMessage', { WaitTimeSeconds: 1 }))).toEqual([]);
});

test('what is older than the queue keeps is gone', async () => {
  queue = sim.queues.make({ name: 'short', retentionMs: 60_000 });
  sim.sendToQueue('short', 'old');
  await clock.advance(61_000);
  expect(bodiesOf(await call('ReceiveMessage', {}))).toEqual([]);
});

test('only attributes that were asked for are told', async () => {
  sim.sendToQueue('q', 'one');
  const reply = await call('ReceiveMessage', { VisibilityTimeout: 0 });
  expect('output' in reply && (reply.output['Messages'] as object[])[0]).not.toHaveProperty('Attributes');
  expect(await call('GetQueueAttributes', {})).toEqual({ output: {} });
});
