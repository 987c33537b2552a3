import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventBusOver, sdkEventBridgeTransport, sdkSnsTransport, topicOver } from '@understudy/aws';
import { CloudSim, CloudSimConfigSchema, type Fault, inProcessService, startCloudSim } from '@understudy/cloud-sim';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import {
  PUBLISHING_CONTRACT,
  type PublishingCase,
  type PublishingFault,
  type PublishingFixture,
  SeededRandom,
  SimClock,
} from '@understudy/shared/testing';
import { describe, it } from 'vitest';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';

const KINDS: Readonly<Record<PublishingFault, Pick<Fault, 'kind' | 'code'>>> = {
  throttle: { kind: 'throttle' },
  'internal-error': { kind: 'error' },
  'foreign-answer': { kind: 'foreign-answer' },
  'lost-reply': { kind: 'timeout-after-success' },
  'entry-throttled': { kind: 'error', code: 'ThrottlingException' },
};

const SPEED = 50;
/** How long a caller hangs whose reply is lost, ms. */
const HANG_MS = 100;
const TOPIC = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
const BUS = (name: string) => `arn:aws:events:us-east-1:123456789012:event-bus/${name}`;
const letIn = (Service: string, Resource: string): string =>
  JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sqs:SendMessage', Resource }] });

type World = Pick<PublishingFixture, 'arrived' | 'fault'>;

/** What others see of it, under the policy that a coordinator's role is told to have. */
function worldOf(sim: CloudSim, wait: () => Promise<void>): World {
  const topics = ['news', 'news.fifo', 'none'].map(TOPIC);
  sim.setAuthorize(underGeneratedPolicy({ groups: ['db'], topics, eventBuses: ['ops', 'none'].map(BUS) }));
  const queues = Object.fromEntries(
    (['topic', 'fifo', 'bus'] as const).map((name) => {
      const service = `${name === 'bus' ? 'events' : 'sns'}.amazonaws.com`;
      const arn = `arn:aws:sqs:us-east-1:123456789012:${name}`;
      return [name, sim.queues.make({ name, policy: letIn(service, arn) })];
    }),
  );
  const [topic, fifo, bus] = [queues['topic'], queues['fifo'], queues['bus']].map((one) => one?.arn ?? '');
  sim.topics.make({ name: 'news', subscriptions: [{ queueArn: topic ?? '' }] });
  sim.topics.make({ name: 'news.fifo', subscriptions: [{ queueArn: fifo ?? '' }] });
  sim.topics.make({ name: 'forbidden' });
  for (const name of ['ops', 'forbidden']) sim.events.addBus(name);
  const pattern = { source: ['understudy'] };
  sim.events.putRule({ name: 'ours', bus: 'ops', pattern, queueArn: bus ?? '', deadLetterArn: null });
  return {
    arrived: async (name, count) => {
      const bodies = () => queues[name]?.bodies() ?? [];
      for (let looks = 0; looks < 10 && bodies().length < count; looks += 1) await wait();
      return bodies().map((one) => JSON.parse(one) as Readonly<Record<string, unknown>>);
    },
    fault: async (action, kind) => {
      sim.addFault({ id: kind, action, ...KINDS[kind], delayMs: HANG_MS });
      return { firedCount: async () => sim.fired(kind) };
    },
  };
}

type Parts = Omit<Parameters<typeof topicOver>[0], 'topicArn' | 'transport'>;
type Sends = { readonly sns: Parameters<typeof topicOver>[0]['transport']; readonly events: Sends['sns'] };

function askedBy(parts: Parts, { sns, events }: Sends): Omit<PublishingFixture, keyof World | 'sleep'> {
  const topic = (name: string) => topicOver({ ...parts, transport: sns, topicArn: TOPIC(name) });
  const bus = (name: string) => eventBusOver({ ...parts, transport: events, busArn: BUS(name) });
  return {
    ...{ topic: topic('news'), fifo: topic('news.fifo'), nowhere: topic('none'), forbidden: topic('forbidden') },
    ...{ bus: bus('ops'), noBus: bus('none'), forbiddenBus: bus('forbidden') },
  };
}

async function inProcess(one: PublishingCase): Promise<void> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const sends = { sns: inProcessService(sim, 'sns'), events: inProcessService(sim, 'events') };
  const sleep = (durationMs: number) => clock.sleep(durationMs);
  const world = worldOf(sim, () => sleep(1_000));
  await clock.runUntilSettled(one.run({ ...world, ...askedBy({ clock, callTimeoutMs: 1_000 }, sends), sleep }));
}

async function overHttp(one: PublishingCase): Promise<void> {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-publishing-'));
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: SPEED, workDir });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const credentials = { accessKeyId: 'AKIAACCEPTED', secretAccessKey: 'secret' };
  const options = { region: config.region, endpoint: server.url, credentials, callTimeoutMs: 2_000 };
  const [sns, events] = [sdkSnsTransport(options), sdkEventBridgeTransport(options)];
  const sleep = (durationMs: number) => clock.sleep(durationMs / SPEED);
  const world = worldOf(server.sim, () => sleep(1_000));
  const asked = askedBy({ clock, callTimeoutMs: 3_000 }, { sns: sns.send, events: events.send });
  try {
    await one.run({ ...world, ...asked, sleep });
  } finally {
    sns.close();
    events.close();
    await server.close();
    await rm(workDir, { recursive: true, force: true });
  }
}

describe('SNS and EventBridge in process', () => it.each(PUBLISHING_CONTRACT)('$name', inProcess));
describe.concurrent('SNS and EventBridge over the SDK and HTTP', () => it.each(PUBLISHING_CONTRACT)('$name', overHttp));
