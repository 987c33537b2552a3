import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  dnsRecordsOver,
  type Ec2Transport,
  eventBusOver,
  kmsOver,
  messageQueueOver,
  remoteCommandsOver,
  sdkElbv2Transport,
  sdkEventBridgeTransport,
  sdkKmsTransport,
  sdkRoute53Transport,
  sdkSnsTransport,
  sdkSqsTransport,
  sdkSsmTransport,
  targetGroupsOver,
  topicOver,
} from '@understudy/aws';
import { CloudSimConfigSchema, type RunningCloudSim, startCloudSim } from '@understudy/cloud-sim';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const ACCEPTED = 'AKIAACCEPTED';
const PLACE = 'us-east-1:123456789012';
const clock = new SystemClock();

let server: RunningCloudSim;
let workDir: string;
const closers: (() => void)[] = [];
beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'understudy-credentials-'));
  const credentials = { accessKeyIds: [ACCEPTED] };
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 1_000, workDir, credentials });
  server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
});
afterAll(async () => {
  for (const close of closers) close();
  await server.close();
  rmSync(workDir, { recursive: true });
});
beforeEach(() => server.sim.clearFaults());

type Open = (options: Parameters<typeof sdkSnsTransport>[0]) => ReturnType<typeof sdkSnsTransport>;
interface Parts {
  readonly transport: Ec2Transport;
  readonly clock: SystemClock;
  readonly callTimeoutMs: number;
}
/** Service → its client, and calls through its adapter, by their actions as faults name them. */
type Calls = Readonly<Record<string, (parts: Parts) => Promise<unknown>>>;

const queue = (parts: Parts) =>
  messageQueueOver({ ...parts, queueUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/events' });
const topic = (parts: Parts) => topicOver({ ...parts, topicArn: `arn:aws:sns:${PLACE}:news` });
const bus = (parts: Parts) => eventBusOver({ ...parts, busArn: `arn:aws:events:${PLACE}:event-bus/ops` });
const GROUP = `arn:aws:elasticloadbalancing:${PLACE}:targetgroup/web/0123456789abcdef`;
const INSTANCE = 'i-0123456789abcdef0';
const record = { Name: 'db.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '10.0.0.1' }] };

const SERVICES: Readonly<Record<string, readonly [Open, Calls]>> = {
  SQS: [
    sdkSqsTransport,
    {
      'sqs:ReceiveMessage': (parts) => queue(parts).receive({ messagesMax: 1, waitMs: 0, hiddenForMs: 1_000 }),
      'sqs:DeleteMessage': (parts) => queue(parts).delete('handle'),
    },
  ],
  SNS: [
    sdkSnsTransport,
    {
      'sns:Publish': (parts) =>
        topic(parts).publish({ id: '1', body: 'b', subject: 's', orderedBy: 'o', attributes: {} }),
      'sns:GetTopicAttributes': (parts) => topic(parts).facts(),
    },
  ],
  EventBridge: [
    sdkEventBridgeTransport,
    {
      'events:PutEvents': (parts) =>
        bus(parts).put({ source: 'understudy', detailType: 'd', detail: '{}', atWallMs: 0 }),
      'events:DescribeEventBus': (parts) => bus(parts).mustExist(),
    },
  ],
  KMS: [sdkKmsTransport, { 'kms:DescribeKey': (parts) => kmsOver(parts).describeKey('alias/one') }],
  'Systems Manager': [
    sdkSsmTransport,
    {
      'ssm:SendCommand': (parts) =>
        remoteCommandsOver(parts).send({
          ...{ instanceId: INSTANCE, comment: 'c', lines: ['true'] },
          ...{ deliverWithinMs: 60_000, runWithinMs: 60_000 },
        }),
      'ssm:DescribeInstanceInformation': (parts) => remoteCommandsOver(parts).managed(INSTANCE),
    },
  ],
  'Route 53': [
    sdkRoute53Transport,
    {
      'route53:ChangeResourceRecordSets': (parts) =>
        dnsRecordsOver(parts).swapRecord({ zoneId: 'Z1', old: record, fresh: record, comment: 'c' }),
      'route53:GetChange': (parts) => dnsRecordsOver(parts).describeChange('C1'),
    },
  ],
  'Elastic Load Balancing': [
    sdkElbv2Transport,
    {
      'elasticloadbalancing:RegisterTargets': (parts) =>
        targetGroupsOver(parts).registerTargets(GROUP, [{ id: INSTANCE, port: 80, az: null, quicServerId: null }]),
      'elasticloadbalancing:DescribeTargetHealth': (parts) => targetGroupsOver(parts).describeTargets(GROUP),
    },
  ],
};

const RENEW = 'the credentials have expired: renew them, or use an instance profile';
const CHECK = 'check the access key, its secret and the Region';
/** What each protocol says of credentials, and what a person is told to do. */
const SAYS_XML = [
  ['ExpiredToken', 403, RENEW],
  ['InvalidClientTokenId', 403, CHECK],
  ['SignatureDoesNotMatch', 403, CHECK],
  ['AccessDenied', 403, 'AccessDenied'],
] as const;
const SAYS_JSON = [
  ['ExpiredTokenException', 400, RENEW],
  ['UnrecognizedClientException', 400, CHECK],
  ['InvalidSignatureException', 400, CHECK],
  ['AccessDeniedException', 400, 'AccessDeniedException'],
] as const;
const SPEAKS_XML: readonly string[] = ['SNS', 'Route 53', 'Elastic Load Balancing'];

const partsWith = (open: Open, accessKeyId: string): Parts => {
  const credentials = { accessKeyId, secretAccessKey: 'secret' };
  const sdk = open({ region: 'us-east-1', endpoint: server.url, credentials, callTimeoutMs: 2_000 });
  closers.push(() => sdk.close());
  return { transport: sdk.send, clock, callTimeoutMs: 3_000 };
};

test.each(Object.entries(SERVICES))(
  '%s: credentials that are expired, unknown, wrongly signed or without the right are a denial with what to do',
  async (name, [open, calls]) => {
    const parts = partsWith(open, ACCEPTED);
    const says = SPEAKS_XML.includes(name) ? SAYS_XML : SAYS_JSON;
    for (const [action, call] of Object.entries(calls))
      for (const [code, httpStatus, remedy] of says) {
        const id = `${action} ${code}`;
        server.sim.addFault({ id, action, kind: 'error', code, httpStatus });
        const work = call(parts);
        await expect(work, id).rejects.toMatchObject({ code: 'CLOUD_DENIED', upstreamCode: code });
        await expect(work, id).rejects.toThrow(remedy);
        expect(server.sim.fired(id)).toBe(1);
      }
  },
);

test.each(Object.entries(SERVICES))('%s: a stranger’s key is refused at the door', async (_, [open, calls]) => {
  const parts = partsWith(open, 'AKIASTRANGER');
  for (const call of Object.values(calls)) {
    const work = call(parts);
    await expect(work).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
    await expect(work).rejects.toThrow(CHECK);
  }
});
