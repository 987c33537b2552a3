import { openUdpSocket } from '@understudy/agent';
import { TestCoordinator } from '@understudy/agent/testing';
import { CloudSimConfigSchema, type RunningCloudSim, seedInstance, startCloudSim } from '@understudy/cloud-sim';
import { hmacOf, parseKey, silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';

const clock = new SystemClock();
const HEX = '0b'.repeat(32);
const NEXT = '0c'.repeat(32);
const NAME = '/understudy/keys/shop/db-1';
let bundle = '';
let folder = '';
let cloud: RunningCloudSim;
let imds = '';
let imdsWithoutRole = '';
const children: ChildProcess[] = [];
const sockets: TestCoordinator[] = [];

beforeAll(async () => {
  bundle = await bundleAgent();
  folder = mkdtempSync(join(tmpdir(), 'understudy-fetched-key-'));
  const config = CloudSimConfigSchema.parse({ workDir: join(folder, 'cloud'), speed: 1_000, http: { port: 0 } });
  cloud = await startCloudSim(config, { clock, random: new SystemRandom(), log: silentLog, env: {} });
  const withRole = seedInstance(cloud.sim, { request: { IamInstanceProfile: { Name: 'db' } } });
  const without = seedInstance(cloud.sim, {});
  const urlOf = (id: string) =>
    until(`metadata of ${id}`, () => cloud.imdsPorts()[id]).then((port) => `http://127.0.0.1:${port}`);
  imds = await urlOf(withRole.instanceId);
  imdsWithoutRole = await urlOf(without.instanceId);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const one of sockets.splice(0)) await one.socket.close();
});
afterAll(async () => {
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

async function agentWith(key: object, { metadata = imds, rootDir = mkdtempSync(join(folder, 'root-')) } = {}) {
  const coordinator = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
  coordinator.macs.set(2, hmacOf(parseKey(NEXT, 'test')));
  sockets.push(coordinator);
  const config = join(rootDir, 'agent.yaml');
  const all = {
    member: 'shop/db-1',
    key: { id: 1, endpoint: cloud.url, ...key },
    coordinators: [`127.0.0.1:${coordinator.socket.localPort}`],
    rootDir,
    heartbeat: { intervalMs: 100 },
    checks: { network: { gateway: 'none', dns: 'none' } },
    activation: { onDeactivate: ['/bin/sh', '-c', 'echo off >> "$UNDERSTUDY_ROOT/told"'] },
  };
  writeFileSync(config, JSON.stringify(all));
  const child = spawn(process.execPath, [...AGENT_NODE_FLAGS, bundle, '--config', config, '--imds', metadata], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const logged = (event: string) =>
    said
      .split('\n')
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { coordinator, child, rootDir, logged, said: () => said };
}

describe('a key that lies outside the instance', () => {
  it.each([
    ['a SecureString of Parameter Store', 'ssm', { ssmParameter: NAME }, `${HEX}\n`],
    ['a secret of Secrets Manager, with its id', 'secretsmanager', { secretsManager: 'understudy/db-1' }, `1 ${HEX}`],
  ] as const)('is read from %s with the role of the instance', async (_name, store, key, value) => {
    cloud.sim.putSecret(store, Object.values(key)[0] ?? '', value);
    const { coordinator, rootDir, said } = await agentWith(key);
    await until('an authentic heartbeat', () => coordinator.heard.length > 0);
    expect(coordinator.rejected).toEqual([]);
    const kept = join(rootDir, 'run/understudy/fetched.key');
    expect(readFileSync(kept, 'utf8')).toBe(`1 ${HEX}\n`);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(said()).not.toContain(HEX);
  });

  it.each([
    ['is not there', null, 'all', 'ParameterNotFound', /put-parameter --type SecureString --name \/understudy/],
    [
      'is denied to the role',
      HEX,
      'none',
      'AccessDeniedException',
      /allow ssm:GetParameter on \/understudy.* to the role/,
    ],
    ['is encrypted with a key that is denied', HEX, 'no-decrypt', 'AccessDeniedException', /allow kms:Decrypt/],
    ['is not a key', 'hunter2', 'all', 'KEY_INVALID', /understudy keys derive/],
  ] as const)(
    '%s: says so and what to do, withdraws, and goes on as soon as it can',
    async (_name, value, access, error, remedy) => {
      cloud.sim.putSecret('ssm', NAME, value, access);
      const { coordinator, rootDir, logged, said } = await agentWith({ ssmParameter: NAME });
      const failed = await until('it is refused', () => logged('key.fetch.failed')[0]);
      expect(failed['error']).toBe(error);
      expect(failed['remedy']).toMatch(remedy);
      expect(said()).not.toContain('hunter2');
      await until('withdrawn meanwhile', () => readFileSync(join(rootDir, 'told'), 'utf8') !== '', 10_000);
      expect(coordinator.heard).toEqual([]);
      cloud.sim.putSecret('ssm', NAME, HEX);
      await until('an authentic heartbeat', () => coordinator.heard.length > 0);
    },
  );

  it('cannot be had without an instance profile, and the remedy says so', async () => {
    cloud.sim.putSecret('ssm', NAME, HEX);
    const { logged } = await agentWith({ ssmParameter: NAME }, { metadata: imdsWithoutRole });
    const failed = await until('it is refused', () => logged('key.fetch.failed')[0]);
    expect(failed['error']).toMatch(/Provider/);
    expect(failed['remedy']).toMatch(/instance profile/);
  });

  it('is tried beside the old one when another is put there, and an agent is told (SIGHUP)', async () => {
    cloud.sim.putSecret('ssm', NAME, HEX);
    const { coordinator, child } = await agentWith({ ssmParameter: NAME });
    await until('heard under the first', () => coordinator.last?.keyId === 1);
    cloud.sim.putSecret('ssm', NAME, `2 ${NEXT}`);
    child.kill('SIGHUP');
    await until('heard under the second', () => coordinator.last?.keyId === 2, 20_000);
  });

  it('of this boot is used again when the service is away', async () => {
    cloud.sim.putSecret('ssm', NAME, HEX);
    const first = await agentWith({ ssmParameter: NAME });
    await until('heard', () => first.coordinator.heard.length > 0);
    first.child.kill('SIGKILL');
    cloud.sim.putSecret('ssm', NAME, HEX, 'none');
    const second = await agentWith({ ssmParameter: NAME }, { rootDir: first.rootDir });
    await until('heard again', () => second.coordinator.heard.length > 0, 10_000);
    await until('and the refusal is told', () => second.logged('key.fetch.failed').length > 0);
    cloud.sim.putSecret('ssm', NAME, HEX);
  });
});
