import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EC2Client, StopInstancesCommand } from '@aws-sdk/client-ec2';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { CloudSimConfigSchema } from '../config.ts';
import { seedInstance } from '../seed-instance.ts';

let workDir: string;
let server: RunningCloudSim;
let sqs: SQSClient;
let ec2: EC2Client;

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const config = CloudSimConfigSchema.parse({ workDir, speed: 200, http: { port: 0 } });
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env: {} };
  server = await startCloudSim(config, parts);
  const credentials = { accessKeyId: 'AKIAGOOD', secretAccessKey: 'secret' };
  const options = { region: 'us-east-1', endpoint: server.url, maxAttempts: 1, credentials };
  sqs = new SQSClient(options);
  ec2 = new EC2Client({ ...options, customUserAgent: [['ops-script', '7']] });
});

afterAll(async () => {
  sqs.destroy();
  ec2.destroy();
  await server.close();
  rmSync(workDir, { recursive: true });
});

async function admin(path: string, body: object): Promise<Record<string, Record<string, string>>> {
  const response = await fetch(`${server.url}/_sim/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, Record<string, string>>;
}

const LET_IN = (queueArn: string) => ({
  Statement: [
    {
      ...{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' },
      Resource: queueArn,
    },
  ],
});

async function queueWithRule(name: string): Promise<string> {
  const arn = `arn:aws:sqs:us-east-1:123456789012:${name}`;
  const { queue } = await admin('sqs/queues', { name, policy: LET_IN(arn) });
  await admin('events-bus/rules', { name, pattern: { source: ['aws.ec2'] }, queueArn: arn });
  return queue?.['url'] ?? '';
}

test('an unmodified client hears of a stop that another one asked for, and of who asked', async () => {
  const QueueUrl = await queueWithRule('heard');
  const { instanceId } = seedInstance(server.sim);
  await ec2.send(new StopInstancesCommand({ InstanceIds: [instanceId] }));
  const heard = new Map<string, Record<string, unknown>>();
  for (let polls = 0; polls < 60 && !heard.has('AWS API Call via CloudTrail'); polls += 1) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
    );
    for (const { Body = '', ReceiptHandle } of Messages) {
      const event = JSON.parse(Body) as { 'detail-type': string; detail: Record<string, unknown> };
      heard.set(event['detail-type'], event.detail);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
  expect(heard.get('EC2 Instance State-change Notification')).toMatchObject({ 'instance-id': instanceId });
  const call = heard.get('AWS API Call via CloudTrail');
  expect(call).toMatchObject({ eventName: 'StopInstances', userIdentity: { type: 'AssumedRole' } });
  expect(String(call?.['userAgent'])).toContain('ops-script/7');
});

test('an event that is made up is delivered as any other', async () => {
  const QueueUrl = await queueWithRule('forged');
  await admin('events-bus/forge', { event: { source: 'aws.ec2', detail: { 'instance-id': 'i-0' } } });
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  expect(JSON.parse(Messages?.[0]?.Body ?? '')).toMatchObject({ detail: { 'instance-id': 'i-0' } });
});

test('errors have the class of the JSON protocol and the code of the older one', async () => {
  const work = sqs.send(new GetQueueUrlCommand({ QueueName: 'none' }));
  await expect(work).rejects.toMatchObject({
    ...{ name: 'QueueDoesNotExist', Code: 'AWS.SimpleQueueService.NonExistentQueue' },
  });
});

test('the client’s own check of checksums passes, and finds what was changed on its way', async () => {
  const QueueUrl = await queueWithRule('sums');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'grüße' }));
  server.sim.queues.spoilt = 'grüße';
  const spoilt = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, VisibilityTimeout: 0 }));
  await expect(spoilt).rejects.toThrow('Invalid MD5 checksum');
  server.sim.queues.spoilt = null;
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  expect(Messages?.[0]?.Body).toBe('grüße');
});
