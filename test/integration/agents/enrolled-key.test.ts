import { type RunningCloudSim, type SeededInstance, seedInstance } from '@understudy/cloud-sim';
import {
  deriveAgentKey,
  type EnrolmentsView,
  type MembersView,
  publicKeyOf,
  type StatusView,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { clusterPerTest } from '../coordinator/cluster-per-test.ts';
import { MASTER } from '../coordinator/coordinator-cluster.ts';
import { hasOpenssl, makeCertificates } from '../etcd/certificates.ts';

const DB1 = 'prod/db1';
const KEY = Buffer.from(deriveAgentKey(MASTER, 1, DB1)).toString('hex');
const now = clusterPerTest();
const children: ChildProcess[] = [];
let bundle = '';

beforeAll(async () => {
  bundle = await bundleAgent();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A subnet on loopback, so that the address of an instance is one that an agent here has. */
function seedOnLoopback({ sim }: RunningCloudSim, member: string, privateIp: string): SeededInstance {
  const [subnet] = sim.core.region.subnets.all();
  if (!subnet) throw new Error('no subnet');
  const loopback = { ...subnet, id: 'subnet-00000127', networkPrefix: '127.0.0', cidrBlock: '127.0.0.0/20' };
  if (!sim.core.region.subnets.get(loopback.id)) sim.core.region.subnets.put(loopback, 0, true);
  return seedInstance(sim, { member, request: { SubnetId: loopback.id, PrivateIpAddress: privateIp } });
}

/** A coordinator as a process, with TLS and enrolment, and what asks it as this host. */
async function coordinatorThatEnrols(cloud: RunningCloudSim) {
  const { cluster, etcd } = now;
  const file = (name: string) => join(cluster.dir, name);
  makeCertificates(cluster.dir);
  writeFileSync(file('aws.pem'), cloud.sim.identity.certificate());
  writeFileSync(file('token'), 'a-token-of-this-test-0123456789abcdef', { mode: 0o600 });
  const made = await cluster.config(0, etcd.hosts, 1, {
    enrolment: { accounts: ['123456789012'], certificateFile: file('aws.pem') },
    // Agents come and go here, and no member is to be replaced for it.
    policy: { detect: { suspectAfterMs: 2_500, confirmForMs: 600_000 }, guard: { bootGraceMs: 0 } },
  });
  const config = parse(readFileSync(made.path, 'utf8')) as { readonly http: object };
  const tls = { certFile: file('server.pem'), keyFile: file('server.key'), caFile: file('ca.pem') };
  const http = { ...config.http, tls, operatorTokenFile: file('token') };
  writeFileSync(made.path, JSON.stringify({ ...config, http }));
  const process = cluster.start(made.path, made.httpPort);
  const url = `https://127.0.0.1:${made.httpPort}`;
  return { ...made, process, url, ca: file('ca.pem') };
}
type Coordinator = Awaited<ReturnType<typeof coordinatorThatEnrols>>;

interface Answered {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly json: unknown;
}

/** One request; `from` is the address of this end. */
function send({ url, ca }: Coordinator, path: string, body: object | null, from = '127.0.0.1'): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const method = body === null ? 'GET' : 'POST';
  const token = readFileSync(join(ca, '../token'), 'utf8');
  const headers = body === null ? {} : { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const options = { method, headers, agent: false, ca: readFileSync(ca), localAddress: from };
  const sent = request(new URL(path, url), options, (reply) => {
    let text = '';
    reply.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    reply.on('end', () =>
      resolve({ status: reply.statusCode ?? 0, retryAfter: reply.headers['retry-after'], json: JSON.parse(text) }),
    );
  });
  sent.on('error', reject);
  sent.end(body === null ? undefined : JSON.stringify(body));
  return promise;
}

const read = async <T>(coordinator: Coordinator, path: string): Promise<T | null> => {
  const answer = await send(coordinator, path, null).catch(() => null);
  return answer?.status === 200 ? (answer.json as T) : null;
};

/** The agent as it is shipped, on an instance whose metadata is at `imds`. */
function agentAt(imds: string, rootDir: string, coordinator: Coordinator) {
  const config = join(rootDir, 'agent.yaml');
  const off = { enabled: false };
  const all = {
    member: DB1,
    // The first of them is down.
    key: { id: 9, enrolAt: ['https://127.0.0.1:1', coordinator.url], caFile: '/ca.pem' },
    coordinators: [`127.0.0.1:${coordinator.udpPort}`],
    rootDir,
    heartbeat: { intervalMs: 200 },
    checks: { network: off, storage: off, pressure: off, clock: off },
  };
  writeFileSync(config, JSON.stringify(all));
  writeFileSync(join(rootDir, 'ca.pem'), readFileSync(coordinator.ca));
  const arguments_ = [...AGENT_NODE_FLAGS, bundle, '--config', config, '--imds', imds];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  const logged = (event: string) =>
    said
      .split('\n')
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logged, said: () => said, kill: () => child.kill('SIGKILL') };
}

const identityOf = (cloud: RunningCloudSim, { instanceId }: SeededInstance, over: object = {}): string => {
  const { launchedAtWallMs = 0 } = cloud.sim.core.region.instances.get(instanceId) ?? {};
  const pendingTime = `${new Date(launchedAtWallMs).toISOString().slice(0, 19)}Z`;
  const document = { accountId: '123456789012', instanceId, privateIp: '127.0.0.2', region: 'us-east-1', pendingTime };
  return cloud.sim.identity.rsa2048(JSON.stringify({ ...document, ...over }));
};

test.skipIf(!hasOpenssl)(
  'an agent without a key is given its own for the identity of its instance, by a real coordinator over TLS',
  async () => {
    now.cluster.simulatesAgents = false;
    const cloud = await now.cluster.startCloud();
    const { instanceId } = seedOnLoopback(cloud, DB1, '127.0.0.1');
    const db2 = seedOnLoopback(cloud, 'prod/db2', '127.0.0.2');
    const port = await until('metadata', () => cloud.imdsPorts()[instanceId]);
    const coordinator = await coordinatorThatEnrols(cloud);
    const enrolments = () => read<EnrolmentsView>(coordinator, '/v1/enrolments');
    const rootDir = mkdtempSync(join(now.cluster.dir, 'root-'));
    const imds = `http://127.0.0.1:${port}`;

    await until('a leader', async () => (await read<StatusView>(coordinator, '/v1/status'))?.isLeader, 30_000);
    // It enrols as soon as its tags are seen, and is heard with the key that it was given.
    const first = agentAt(imds, rootDir, coordinator);
    const heard = async () =>
      (await read<MembersView>(coordinator, '/v1/members'))?.members.find((one) => one.member === DB1)?.verdict ===
      'alive';
    await until('heard', heard, 60_000);
    expect((await enrolments())?.enrolments).toMatchObject([
      { member: DB1, instanceId, address: '127.0.0.1', keyId: 1 },
    ]);
    const secretFile = join(rootDir, 'var/lib/understudy/enrolment.json');
    const secret = readFileSync(secretFile, 'utf8');
    const kept = join(rootDir, 'run/understudy/fetched.key');
    expect([secretFile, kept].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(readFileSync(kept, 'utf8')).toBe(`1 ${KEY}\n`);

    // After a reboot that forgot all but its secret it is given the same key again.
    first.kill();
    for (const path of [kept, join(rootDir, 'var/lib/understudy/keys.json')]) rmSync(path, { force: true });
    const again = agentAt(imds, rootDir, coordinator);
    await until('given again', () => again.logged('key.fetched').length > 0, 20_000);
    expect(readFileSync(secretFile, 'utf8')).toBe(secret);
    expect(coordinator.process.output).toContain('"repeated":true');
    again.kill();

    // Whoever else asks on this machine is refused, and told so, until an operator resets it.
    const otherRoot = mkdtempSync(join(now.cluster.dir, 'root-'));
    const other = agentAt(imds, otherRoot, coordinator);
    const refused = await until('refused', () =>
      other.logged('key.fetch.failed').find(({ error }) => error === 'AlreadyEnrolled'),
    );
    expect(refused['remedy']).toContain('understudy enrolments list');
    const { problems } = (await read<StatusView>(coordinator, '/v1/status')) ?? { problems: [] };
    expect(problems.find(({ code }) => code === 'ENROLMENT_REFUSED')?.text).toContain('AlreadyEnrolled');
    const before = await enrolments();
    expect(before?.refused).toMatchObject([{ reason: 'AlreadyEnrolled', member: DB1, address: '127.0.0.1' }]);
    const revision = before?.enrolments[0]?.revision;
    const reset = await send(
      coordinator,
      `/v1/enrolments/${DB1}/reset`,
      { reason: 'made anew', revision },
      '127.0.0.1',
    );
    expect(reset).toMatchObject({ status: 200 });
    other.kill();
    const next = agentAt(imds, otherRoot, coordinator);
    await until('given its key', () => next.logged('key.fetched').length > 0, 60_000);
    next.kill();

    // Documents that are genuine, and not good enough.
    const enrol = async (document: string, from: string) => {
      const publicKey = publicKeyOf(new Uint8Array(32).fill(7));
      const answer = await send(coordinator, '/v1/enrolments', { member: 'prod/db2', document, publicKey }, from);
      const { code, facts } = answer.json as { readonly code?: string; readonly facts?: { readonly reason?: string } };
      return { status: answer.status, reason: facts?.reason ?? code, retryAfter: answer.retryAfter };
    };
    const document = identityOf(cloud, db2);
    const is = (reason: string) => ({ status: 403, reason, retryAfter: '5' });
    expect(await enrol(document, '127.0.0.3')).toEqual(is('AddressForeign'));
    expect(await enrol(identityOf(cloud, db2, { accountId: '999999999999' }), '127.0.0.2')).toEqual(
      is('AccountForeign'),
    );
    cloud.sim.seed('TerminateInstances', { InstanceIds: [db2.instanceId] });
    await until('terminated', () => cloud.sim.core.region.instances.get(db2.instanceId)?.state === 'terminated');
    const { status, reason = '' } = await enrol(document, '127.0.0.2');
    expect(status).toBe(403);
    expect(['InstanceNotRunning', 'InstanceUnknown']).toContain(reason);
    expect((await enrolments())?.refused.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['AddressForeign', 'AccountForeign', reason]),
    );

    // Without etcd nobody is given anything, and is told to ask again.
    await now.etcd.stop();
    await until('nobody leads', async () => (await read<StatusView>(coordinator, '/v1/status'))?.leader === null);
    const silent = await enrol(document, '127.0.0.2');
    expect(['UNAVAILABLE', 'NOT_LEADER']).toContain(silent.reason);
    expect(silent.retryAfter).toBe('5');
    const late = agentAt(imds, mkdtempSync(join(now.cluster.dir, 'root-')), coordinator);
    const told = await until('told', () => late.logged('key.fetch.failed')[0]);
    expect([told['error'], told['remedy']]).toEqual([
      'NotLeading',
      expect.stringMatching(/no coordinator leads, or etcd/),
    ]);

    const all = [first, again, other, next, late].map(({ said }) => said()).join('') + coordinator.process.output;
    expect(all).not.toContain(KEY);
    expect(all).not.toContain((JSON.parse(secret) as { readonly secret: string }).secret);
  },
);
