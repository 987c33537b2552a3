import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSim, CloudSimConfigSchema, type FaultKind, inProcessService, startCloudSim } from '@understudy/cloud-sim';
import { messageQueueOver, sdkSqsTransport } from '@understudy/aws';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import {
  QUEUE_CONTRACT,
  type QueueContractCase,
  type QueueContractFault,
  type QueueContractFixture,
  SeededRandom,
  SimClock,
} from '@understudy/shared/testing';
import { describe, it } from 'vitest';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';

const KINDS: Readonly<Record<QueueContractFault, FaultKind>> = {
  throttle: 'throttle',
  'internal-error': 'error',
  'foreign-answer': 'foreign-answer',
  'lost-reply': 'timeout-after-success',
};

const SPEED = 50;
/** How long a caller hangs whose reply is lost, ms. */
const HANG_MS = 100;
const URL_OF = (name: string) => `https://sqs.us-east-1.amazonaws.com/123456789012/${name}`;
const ARN_OF = (name: string) => `arn:aws:sqs:us-east-1:123456789012:${name}`;

/** What others do to the queue, under the policy that a coordinator's role is told to have. */
function worldOf(sim: CloudSim): Omit<QueueContractFixture, 'queue' | 'nowhere' | 'forbidden' | 'sleep' | 'spoil'> {
  sim.setAuthorize(underGeneratedPolicy({ groups: ['db'], eventQueues: [ARN_OF('events'), ARN_OF('none')] }));
  const deadLetters = sim.queues.make({ name: 'dead' });
  sim.queues.make({ name: 'forbidden' });
  const queue = sim.queues.make({ name: 'events', deadLetter: { arn: deadLetters.arn, afterReceives: 3 } });
  return {
    arn: ARN_OF('events'),
    send: async (body, delayMs = 0) => sim.sendToQueue('events', body, delayMs),
    deadLetters: async () => deadLetters.bodies(),
    unruly: async (share) => {
      queue.unruly = { redelivered: 0, afterDelete: 0, missed: 0, ...share };
    },
    fault: async (action, kind) => {
      sim.addFault({ id: kind, action: `sqs:${action}`, kind: KINDS[kind], delayMs: HANG_MS });
      return { firedCount: async () => sim.fired(kind) };
    },
  };
}

async function inProcess(one: QueueContractCase): Promise<void> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const parts = { clock, callTimeoutMs: 1_000, transport: inProcessService(sim, 'sqs') };
  const at = (name: string) => messageQueueOver({ ...parts, queueUrl: URL_OF(name) });
  await clock.runUntilSettled(
    one.run({
      ...{ ...worldOf(sim), queue: at('events'), nowhere: at('none'), forbidden: at('forbidden'), spoil: null },
      sleep: (durationMs) => clock.sleep(durationMs),
    }),
  );
}

async function overHttp(one: QueueContractCase): Promise<void> {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-queue-'));
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: SPEED, workDir });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const credentials = { accessKeyId: 'AKIAACCEPTED', secretAccessKey: 'secret' };
  const options = { region: config.region, endpoint: server.url, credentials, callTimeoutMs: 2_000 };
  const sqs = sdkSqsTransport(options);
  const at = (name: string) =>
    messageQueueOver({ clock, callTimeoutMs: 3_000, transport: sqs.send, queueUrl: URL_OF(name) });
  try {
    await one.run({
      ...{ ...worldOf(server.sim), queue: at('events'), nowhere: at('none'), forbidden: at('forbidden') },
      spoil: async (on) => {
        server.sim.queues.spoilt = on ? 'spoilt' : null;
      },
      sleep: (durationMs) => clock.sleep(durationMs / SPEED),
    });
  } finally {
    sqs.close();
    await server.close();
    await rm(workDir, { recursive: true, force: true });
  }
}

describe('SQS in process', () => it.each(QUEUE_CONTRACT)('$name', inProcess));
describe.concurrent('SQS over the SDK and HTTP', () => it.each(QUEUE_CONTRACT)('$name', overHttp));
