import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretsOver } from '@understudy/aws';
import { CloudSim, CloudSimConfigSchema, type FaultKind, inProcessService, startCloudSim } from '@understudy/cloud-sim';
import { CoordinatorConfigSchema, secretReader } from '@understudy/coordinator';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import {
  SECRETS_CONTRACT,
  type SecretsCase,
  type SecretsFault,
  type SecretsFixture,
  SeededRandom,
  SimClock,
} from '@understudy/shared/testing';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';

const KINDS: Readonly<Record<SecretsFault, FaultKind>> = {
  throttle: 'throttle',
  'internal-error': 'error',
  'foreign-answer': 'foreign-answer',
  'lost-reply': 'timeout-after-success',
};
const STORES = { ssmParameter: 'ssm', secretsManager: 'secretsmanager' } as const;
const ACTIONS = { ssmParameter: 'ssm:GetParameter', secretsManager: 'secretsmanager:GetSecretValue' } as const;

/** Under the policy that a coordinator's role is told to have. */
function worldOf(sim: CloudSim): Omit<SecretsFixture, 'read'> {
  const names = ['understudy/master', 'understudy/none'];
  sim.setAuthorize(underGeneratedPolicy({ groups: ['db'], parameters: names, secrets: names }));
  return {
    put: (store, name, value, access) => sim.putSecret(STORES[store], name, value, access),
    fault: (store, kind) => {
      sim.addFault({ id: `${store} ${kind}`, action: ACTIONS[store], kind: KINDS[kind], delayMs: 100 });
      return { firedCount: () => sim.fired(`${store} ${kind}`) };
    },
  };
}

async function inProcess(one: SecretsCase): Promise<void> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const transports = {
    ssmParameter: inProcessService(sim, 'ssm'),
    secretsManager: inProcessService(sim, 'secretsmanager'),
  };
  const read = secretsOver({ clock, callTimeoutMs: 1_000, transports });
  await clock.runUntilSettled(one.run({ ...worldOf(sim), read }));
}

describe('stores of secrets in process', () => it.each(SECRETS_CONTRACT)('$name', inProcess));

describe('stores of secrets over the SDK and HTTP', () => {
  const clock = new SystemClock();
  let server: Awaited<ReturnType<typeof startCloudSim>>;
  let workDir: string;
  beforeAll(async () => {
    workDir = await mkdtemp(join(tmpdir(), 'understudy-secrets-'));
    const config = CloudSimConfigSchema.parse({ http: { port: 0 }, workDir });
    server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  });
  afterAll(async () => {
    await server.close();
    await rm(workDir, { recursive: true, force: true });
  });

  it.each(SECRETS_CONTRACT)('$name', async (one) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAACCEPTED');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const { aws } = CoordinatorConfigSchema.shape;
    const config = { aws: aws.parse({ endpoint: server.url, callTimeoutMs: 2_000 }) };
    const closers: (() => Promise<void> | void)[] = [];
    const parts = { config, region: 'us-east-1', environment: {}, clock, closers };
    try {
      await one.run({ ...worldOf(server.sim), read: secretReader({ ...parts, counting: (send) => send }) });
    } finally {
      vi.unstubAllEnvs();
      for (const close of closers) await close();
    }
  });
});
