import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSim, CloudSimConfigSchema, type FaultKind, inProcessKms, startCloudSim } from '@understudy/cloud-sim';
import { kmsOver, sdkKmsTransport } from '@understudy/aws';
import type { SdkTransport } from '@understudy/aws/testing';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import {
  KMS_CONTRACT,
  type KmsContractCase,
  type KmsContractFault,
  type KmsContractFixture,
  SeededRandom,
  SimClock,
} from '@understudy/shared/testing';
import { describe, it } from 'vitest';

const KINDS: Readonly<Record<KmsContractFault, FaultKind>> = {
  throttle: 'throttle',
  'internal-error': 'error',
  'foreign-answer': 'foreign-answer',
  'lost-reply': 'timeout-after-success',
};

/** What happens to keys, done to the simulated KMS directly. */
function keysOf(sim: CloudSim): Omit<KmsContractFixture, 'kms' | 'stranger' | 'nowhere'> {
  const change = async (arn: string, to: Parameters<CloudSim['changeKmsKey']>[1]) => void sim.changeKmsKey(arn, to);
  return {
    createKey: async (options) => sim.createKmsKey(options),
    disable: (arn) => change(arn, { state: 'Disabled' }),
    enable: (arn) => change(arn, { state: 'Enabled' }),
    scheduleDeletion: (arn) =>
      change(arn, { state: 'PendingDeletion', deletionAtWallMs: sim.clock.wallMs() + 7 * 86_400_000 }),
    deny: (arn) => change(arn, { access: 'none' }),
    fault: async (kind) => {
      sim.addFault({ id: kind, action: 'kms:DescribeKey', kind: KINDS[kind] });
      return { firedCount: async () => sim.fired(kind) };
    },
  };
}

async function inProcess(one: KmsContractCase): Promise<void> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const kms = kmsOver({ transport: inProcessKms(sim), clock, callTimeoutMs: 1_000 });
  const nowhere = kmsOver({ transport: () => new Promise(() => undefined), clock, callTimeoutMs: 1_000 });
  await clock.runUntilSettled(one.run({ ...keysOf(sim), kms, stranger: null, nowhere }));
}

async function overHttp(one: KmsContractCase): Promise<void> {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-kms-'));
  const credentials = { accessKeyIds: ['AKIAACCEPTED'] };
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 1_000, workDir, credentials });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const transports: SdkTransport[] = [];
  const kmsAt = (endpoint: string, accessKeyId: string) => {
    const keys = { accessKeyId, secretAccessKey: 'secret' };
    const transport = sdkKmsTransport({ region: config.region, endpoint, credentials: keys, callTimeoutMs: 1_000 });
    transports.push(transport);
    return kmsOver({ transport: transport.send, clock, callTimeoutMs: 2_000 });
  };
  try {
    await one.run({
      ...keysOf(server.sim),
      kms: kmsAt(server.url, 'AKIAACCEPTED'),
      stranger: kmsAt(server.url, 'AKIASTRANGER'),
      nowhere: kmsAt('http://127.0.0.1:1', 'AKIAACCEPTED'),
    });
  } finally {
    for (const transport of transports) transport.close();
    await server.close();
    await rm(workDir, { recursive: true, force: true });
  }
}

describe('KMS in process', () => it.each(KMS_CONTRACT)('$name', inProcess));
describe('KMS over the SDK and HTTP', () => it.each(KMS_CONTRACT)('$name', overHttp));
