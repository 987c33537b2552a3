import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CloudSimConfigSchema } from '../config.ts';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';

let workDir: string;
let server: RunningCloudSim;
let client: KMSClient;

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const config = CloudSimConfigSchema.parse({ workDir, speed: 200, http: { port: 0 } });
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env: {} };
  server = await startCloudSim(config, parts);
  const credentials = { accessKeyId: 'AKIAGOOD', secretAccessKey: 'secret' };
  client = new KMSClient({ region: 'us-east-1', endpoint: server.url, maxAttempts: 1, credentials });
});

afterAll(async () => {
  client.destroy();
  await server.close();
  rmSync(workDir, { recursive: true });
});

async function admin(path: string, body: object): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/_sim/kms/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

async function made(body: object = {}): Promise<string> {
  const { answer } = await admin('keys', body);
  return (answer.key as { arn: string }).arn;
}

const describeKey = async (KeyId: string) => (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;

test('a key that the operator makes is shown by its ARN and its alias, to an unmodified client', async () => {
  const arn = await made({ alias: 'alias/orders' });
  expect(await describeKey(arn)).toMatchObject({ Arn: arn, KeyState: 'Enabled', Enabled: true, MultiRegion: false });
  expect((await describeKey('alias/orders'))?.Arn).toBe(arn);
});

test.each([
  [{ do: 'disable' }, { KeyState: 'Disabled', Enabled: false }],
  [
    { do: 'schedule-deletion', days: 7 },
    { KeyState: 'PendingDeletion', Enabled: false },
  ],
  [
    { do: 'set-state', state: 'PendingImport' },
    { KeyState: 'PendingImport', Origin: 'EXTERNAL' },
  ],
])('%j and enabled again', async (change, shown) => {
  const arn = await made();
  expect((await admin('keys/change', { name: arn, ...change })).status).toBe(200);
  expect(await describeKey(arn)).toMatchObject(shown);
  await admin('keys/change', { name: arn, do: 'enable' });
  expect(await describeKey(arn)).toMatchObject({ KeyState: 'Enabled' });
});

test('a key that is to be deleted says when, and once deleted it is not found', async () => {
  const arn = await made();
  await admin('keys/change', { name: arn, do: 'schedule-deletion', days: 7 });
  const at = (await describeKey(arn))?.DeletionDate?.getTime() ?? 0;
  expect(Math.abs(at - new SystemClock().wallMs() - 7 * 86_400_000)).toBeLessThan(60_000);
  await admin('keys/change', { name: arn, do: 'delete' });
  await expect(describeKey(arn)).rejects.toMatchObject({ name: 'NotFoundException' });
});

test('a key that is closed to us is denied', async () => {
  const arn = await made();
  await admin('keys/change', { name: arn, do: 'set-access', access: 'none' });
  await expect(describeKey(arn)).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('what cannot be done is refused', async () => {
  expect((await admin('keys/change', { do: 'disable', name: 'alias/nobody' })).status).toBe(409);
  expect((await admin('keys/change', { do: 'disable', name: 'alias/aws/ebs' })).status).toBe(409);
  expect((await admin('keys/change', { do: 'break', name: 'x' })).status).toBe(400);
  expect((await admin('keys', { alias: 'no alias' })).status).toBe(400);
});

test('what is not simulated, and what has no key id, is refused in KMS’s form', async () => {
  await expect(client.send(new ListKeysCommand({}))).rejects.toMatchObject({ name: 'UnknownOperationException' });
  const incomplete = new DescribeKeyCommand({} as never);
  await expect(client.send(incomplete)).rejects.toMatchObject({ name: 'ValidationException' });
});
