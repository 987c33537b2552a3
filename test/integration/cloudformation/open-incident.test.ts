import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { eventBusOver } from '@understudy/aws';
import { CloudSim, inProcessService } from '@understudy/cloud-sim';
import { messageOf } from '@understudy/coordinator/testing';
import { NOTICE_EVENT_SOURCE, type NoticeSeverity, wallMs } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { readTemplate } from '../../unit/cloudformation/read-template.ts';
import { ROOT } from '../../unit/tidy/source.ts';

const { Resources } = readTemplate(readFileSync(join(ROOT, 'deploy/cloudformation/notices.yaml'), 'utf8'));
const FunctionSchema = z.object({ Handler: z.literal('index.handler'), Code: z.object({ ZipFile: z.string() }) });
const PatternSchema = z.strictObject({
  source: z.array(z.string()),
  detail: z.record(z.string(), z.array(z.string())),
});
const RuleSchema = z.object({ EventPattern: PatternSchema });
const { ZipFile } = FunctionSchema.parse(Resources['OpenIncident']?.Properties).Code;
const { EventPattern: pattern } = RuleSchema.parse(Resources['NeedsPerson']?.Properties);

/** CreateOpsItem's own limits (Systems Manager API reference). */
const InputSchema = z.strictObject({
  Title: z.string().min(1).max(1_024),
  Description: z.string().min(1).max(2_048),
  Source: z.string().min(1).max(128),
  Severity: z.string().min(1).max(64),
  OperationalData: z.record(
    z.string().max(128),
    z.strictObject({ Value: z.string().min(1), Type: z.enum(['SearchableString', 'String']) }),
  ),
});
type Input = z.infer<typeof InputSchema>;

interface Refusal {
  readonly status: number;
  readonly type: string;
}

let ssm: Server;
/** Answers to come, before it goes by its own rules. */
const refusals: Refusal[] = [];
const opened: Input[] = [];
const asked: string[] = [];

/** One OpsItem for a dedup string, as long as it is open. */
function answer(body: string): { readonly status: number; readonly body: object } {
  const refusal = refusals.shift();
  if (refusal) return { status: refusal.status, body: { __type: refusal.type, message: 'no' } };
  const input = InputSchema.parse(JSON.parse(body));
  const dedup = input.OperationalData['/aws/dedup']?.Value;
  if (opened.some((one) => one.OperationalData['/aws/dedup']?.Value === dedup))
    return { status: 400, body: { __type: 'OpsItemAlreadyExistsException', message: 'it is open', OpsItemId: 'oi-1' } };
  opened.push(input);
  return { status: 200, body: { OpsItemId: `oi-${opened.length}` } };
}

beforeAll(async () => {
  ssm = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push(String(request.headers['x-amz-target']));
      const { status, body: said } = answer(body);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'r' });
      response.end(JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => ssm.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL_SSM', `http://127.0.0.1:${(ssm.address() as AddressInfo).port}`);
  for (const [name, value] of Object.entries({ REGION: 'us-east-1', ACCESS_KEY_ID: 'AKIA', SECRET_ACCESS_KEY: 's' }))
    vi.stubEnv(`AWS_${name}`, value);
});
afterAll(() => {
  vi.unstubAllEnvs();
  ssm.close();
});
beforeEach(() => {
  for (const list of [refusals, opened, asked]) list.length = 0;
});

type Handle = (event: unknown) => Promise<void>;

/** The code of the template as Lambda loads it, with the unmodified SDK. */
function loaded(): Handle {
  const exported: { handler?: Handle } = {};
  const load = compileFunction(ZipFile, ['require', 'exports']) as (load: NodeJS.Require, into: object) => void;
  load(createRequire(join(ROOT, 'packages/aws/package.json')), exported);
  if (!exported.handler) throw new Error('it exports no handler');
  return exported.handler;
}

/** What the rule of the template lets through to the function, of one notice of the product. */
async function delivered(severity: NoticeSeverity, what = 'db/one is held: Paused'): Promise<readonly unknown[]> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const queueArn = 'arn:aws:sqs:us-east-1:123456789012:target';
  const letIn = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' };
  const policy = JSON.stringify({ Statement: [{ ...letIn, Resource: queueArn }] });
  const queue = sim.queues.make({ name: 'target', policy });
  const busArn = sim.events.addBus('understudy-main');
  sim.events.putRule({ name: 'needs-person', bus: 'understudy-main', pattern, queueArn, deadLetterArn: null });
  const bus = eventBusOver({ transport: inProcessService(sim, 'events'), clock, callTimeoutMs: 1_000, busArn });
  const facts = { opId: null, why: 'a person paused it', next: 'resume it' };
  const about = { group: 'db', members: ['db/one'], memberCount: 1 } as const;
  const { body, kind } = messageOf(
    {
      ...{ ...facts, ...about, members: [...about.members], severity, what },
      ...{ id: '1767225600000-0123456789abcdef', kind: 'hold.begun', atWallMs: wallMs(0) },
    },
    'https://us.example',
  );
  const entry = { source: NOTICE_EVENT_SOURCE, detailType: kind, detail: body, atWallMs: 0 };
  await clock.runUntilSettled(bus.put(entry));
  await clock.advance(60_000);
  return queue.bodies().map((one) => JSON.parse(one) as unknown);
}

test('a notice that needs a person opens one OpsItem, however often it is delivered; another opens none', async () => {
  const handle = loaded();
  const [event, ...others] = await delivered('critical');
  expect([event !== undefined, others]).toEqual([true, []]);
  await handle(event);
  await handle(event);
  expect(asked).toEqual(['AmazonSSM.CreateOpsItem', 'AmazonSSM.CreateOpsItem']);
  expect(opened).toHaveLength(1);
  expect(opened[0]).toMatchObject({ Title: 'db/one is held: Paused', Source: 'understudy', Severity: '1' });
  expect(opened[0]?.Description).toContain('Next: resume it\nhttps://us.example/#/members/db/one');
  expect(opened[0]?.OperationalData['understudy/members']?.Value).toBe('db/one');
  expect(await delivered('warning')).toEqual([]);
});

test('a text of any length is cut to what an OpsItem takes', async () => {
  const [event] = await delivered('critical', 'x'.repeat(5_000));
  await loaded()(event);
  expect(opened[0]?.Title).toHaveLength(1_024);
});

test('a throttle is tried again; what lasts fails the run, so that it is delivered again or put aside', async () => {
  const [event] = await delivered('critical');
  const handle = loaded();
  refusals.push({ status: 400, type: 'ThrottlingException' });
  await handle(event);
  expect([asked.length, opened.length]).toEqual([2, 1]);
  for (const [status, type] of [
    [400, 'AccessDeniedException'],
    [400, 'ExpiredTokenException'],
  ] as const) {
    refusals.push({ status, type });
    await expect(handle(event)).rejects.toMatchObject({ name: type });
  }
  await handle(event);
  expect(opened).toHaveLength(1);
});
