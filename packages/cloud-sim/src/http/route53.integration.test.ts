import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { CloudSimConfigSchema } from '../config.ts';

let workDir: string;
let server: RunningCloudSim;
let client: Route53Client;

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const config = CloudSimConfigSchema.parse({ workDir, speed: 200, http: { port: 0 } });
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env: {} };
  server = await startCloudSim(config, parts);
  const credentials = { accessKeyId: 'AKIAGOOD', secretAccessKey: 'secret' };
  client = new Route53Client({ region: 'us-east-1', endpoint: server.url, maxAttempts: 1, credentials });
});

afterAll(async () => {
  client.destroy();
  await server.close();
  rmSync(workDir, { recursive: true });
});

async function admin(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/_sim/route53/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

const record = (value: string): ResourceRecordSet => ({
  ...{ Name: 'db.example.com.', Type: 'A', TTL: 60, ResourceRecords: [{ Value: value }] },
});

async function zone(): Promise<string> {
  const made = (await admin('zones', { name: 'example.com', vpcIds: ['vpc-1'] })).zone as { id: string };
  await admin('records', { zoneId: made.id, record: record('10.0.0.1') });
  return made.id;
}

const swap = (HostedZoneId: string, from: string, to: string) =>
  client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId,
      ChangeBatch: {
        Comment: 'op-1',
        Changes: [
          { Action: 'DELETE', ResourceRecordSet: record(from) },
          { Action: 'CREATE', ResourceRecordSet: record(to) },
        ],
      },
    }),
  );

test('an unmodified client reads a zone, swaps a record and follows the change', async () => {
  const id = await zone();
  const { HostedZone, VPCs } = await client.send(new GetHostedZoneCommand({ Id: id }));
  expect(HostedZone).toMatchObject({ Name: 'example.com.', Config: { PrivateZone: true } });
  expect(VPCs).toEqual([{ VPCId: 'vpc-1', VPCRegion: 'us-east-1' }]);
  const { ChangeInfo } = await swap(`/hostedzone/${id}`, '10.0.0.1', '10.0.0.2');
  expect(ChangeInfo).toMatchObject({ Status: 'PENDING', Comment: 'op-1' });
  const { ResourceRecordSets } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: id }));
  expect(ResourceRecordSets).toEqual([record('10.0.0.2')]);
  const follow = async () => (await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id ?? '' }))).ChangeInfo;
  await expect.poll(async () => (await follow())?.Status, { timeout: 5_000 }).toBe('INSYNC');
});

test('a refused batch is named by its code, and in the older form by nothing', async () => {
  const id = await zone();
  await expect(swap(id, '10.0.0.9', '10.0.0.2')).rejects.toMatchObject({
    ...{ name: 'InvalidChangeBatch', $metadata: { httpStatusCode: 400 } },
    message: expect.stringContaining('do not match the current values'),
  });
  await admin('error-form', { messages: true });
  await expect(swap(id, '10.0.0.9', '10.0.0.2')).rejects.toMatchObject({ name: 'Unknown' });
  await admin('error-form', { messages: false });
});

test('a throttle is a 400 with the code Throttling', async () => {
  const id = await zone();
  server.sim.addFault({ id: 't', action: 'route53:GetHostedZone', kind: 'throttle' });
  await expect(client.send(new GetHostedZoneCommand({ Id: id }))).rejects.toMatchObject({
    ...{ name: 'Throttling', $metadata: { httpStatusCode: 400 } },
  });
});

test.each([
  [
    'elements before their turn',
    '<ResourceRecordSet><Type>A</Type><Name>db.example.com</Name></ResourceRecordSet><Action>DELETE</Action>',
  ],
  [
    'the type before the name',
    '<Action>DELETE</Action><ResourceRecordSet><Type>A</Type><Name>db.example.com</Name></ResourceRecordSet>',
  ],
  ['an element that is none', '<Action>DELETE</Action><Other>1</Other>'],
])('%s are refused as malformed', async (_, change) => {
  const id = await zone();
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAGOOD/20261128/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
  const response = await fetch(`${server.url}/2013-04-01/hostedzone/${id}/rrset`, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'application/xml',
      'x-amz-date': new Date().toISOString().replace(/[-:]|\.\d+/g, ''),
    },
    body: `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes><Change>${change}</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('<Code>MalformedInput</Code>');
});

test('a zone that does not exist is a 404', () =>
  expect(client.send(new GetHostedZoneCommand({ Id: 'ZNONE' }))).rejects.toMatchObject({
    ...{ name: 'NoSuchHostedZone', $metadata: { httpStatusCode: 404 } },
  }));
