import { enrolledKey, NamedRefusal } from '@understudy/agent/testing';
import type { SeededInstance } from '@understudy/cloud-sim';
import { closeServers, type EnrolmentAnswer, serveApi } from '@understudy/coordinator/testing';
import { deriveAgentKey, type KvTxn, type MemberId } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { hasOpenssl, makeCertificates } from '../../integration/etcd/certificates.ts';
import { SwallowingProxy } from '../../integration/etcd/swallowing-proxy.ts';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

/**
 * An agent's own asking, over sockets and TLS, against coordinators in simulated time: an answer is
 * lost after the key was given.
 */
const DB1: MemberId = 'prod/db1';
const folder = mkdtempSync(join(tmpdir(), 'understudy-lost-'));
const pem = (name: string) => readFileSync(join(folder, name));

let world: ScenarioCluster;
let db1: SeededInstance;
let imds: Server;
let proxies: SwallowingProxy[] = [];

beforeAll(() => {
  if (hasOpenssl) makeCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  world = new ScenarioCluster({ enrols: true });
  const [subnet] = world.sim.core.region.subnets.all();
  if (!subnet) throw new Error('no subnet');
  // The address of the instance is the one that the agent here asks from.
  const loopback = { ...subnet, id: 'subnet-00000127', networkPrefix: '127.0.0', cidrBlock: '127.0.0.0/20' };
  world.sim.core.region.subnets.put(loopback, 0, true);
  db1 = world.seed(DB1, { request: { SubnetId: loopback.id, PrivateIpAddress: '127.0.0.1' } });
  for (const name of ['db2', 'db3']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
  await world.up();
  imds = await metadataOf(db1);
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', `http://127.0.0.1:${(imds.address() as AddressInfo).port}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  imds.close();
  await closeServers();
  for (const proxy of proxies.splice(0)) await proxy.close();
});

async function metadataOf({ instanceId, privateIp }: SeededInstance): Promise<Server> {
  const { launchedAtWallMs = 0 } = world.sim.core.region.instances.get(instanceId) ?? {};
  const document = JSON.stringify({
    ...{ accountId: '123456789012', instanceId, privateIp, region: 'us-east-1' },
    pendingTime: `${new Date(launchedAtWallMs).toISOString().slice(0, 19)}Z`,
  });
  const says: Readonly<Record<string, string>> = {
    '/latest/api/token': 'token',
    '/latest/meta-data/instance-id': instanceId,
    '/latest/dynamic/instance-identity/rsa2048': world.sim.identity.rsa2048(document),
  };
  const server = createServer((request, response) => response.end(says[request.url ?? ''] ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

interface Served {
  readonly url: string;
  readonly proxy: SwallowingProxy;
  readonly answers: EnrolmentAnswer[];
}

/** A coordinator's HTTPS server, behind a proxy that can lose what it answers. */
async function serve(node: Node, loses: 'nothing' | 'its first answer' = 'nothing'): Promise<Served> {
  const answers: EnrolmentAnswer[] = [];
  const { api } = node.coordinator;
  const enrolKey: typeof api.enrolKey = async (request) => {
    const answer = await world.clock.runUntilSettled(api.enrolKey(request));
    answers.push(answer);
    // It is decided by now, and what the server says of it goes nowhere.
    if (loses === 'its first answer' && answers.length === 1) proxy.swallow('toClient');
    return answer;
  };
  const leader = () => (node.leads ? ('self' as const) : null);
  const tls = { cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('ca.pem'), peerCa: pem('ca.pem') };
  const server = await serveApi({ api: { leader, enrolKey }, tls });
  const proxy = await SwallowingProxy.listen(server.port);
  proxies.push(proxy);
  return { url: proxy.host.replace('http:', 'https:'), proxy, answers };
}

const secretFile = join(folder, 'enrolment.json');
const secret = () => readFileSync(secretFile, 'utf8');
beforeEach(() => rmSync(secretFile, { force: true }));

/** The asking part of the agent. */
const ask = (...served: readonly Served[]): Promise<string> =>
  enrolledKey(
    {
      ...{ reference: served.map(({ url }) => url).join(','), region: '', endpoint: null, member: DB1 },
      ...{ secretFile, caFile: join(folder, 'ca.pem') },
    },
    { clock: new SystemClock(), random: new SystemRandom() },
  );

const nameOf = (error: unknown): string => (error instanceof NamedRefusal ? error.name : String(error));
const records = () => world.kv.entries(KEYS.enrolments);
const key = () => `1 ${Buffer.from(deriveAgentKey(world.master, 1, DB1)).toString('hex')}`;

/** The answer is lost on its way: the connection ends, as when a host of the way dies. */
async function losing({ proxy }: Served, asked: Promise<string>): Promise<string> {
  const outcome = asked.then(() => 'a key', nameOf);
  await vi.waitUntil(() => proxy.swallowedBytes.toClient > 0, { timeout: 10_000, interval: 5 });
  proxy.heal();
  return outcome;
}

test.skipIf(!hasOpenssl)('an answer that is lost on the wire is given again, to the same key pair', async () => {
  const served = await serve(world.mustLead(), 'its first answer');
  expect(await losing(served, ask(served))).toBe('NoAnswer');
  expect(served.proxy.swallowedBytes.toClient).toBeGreaterThan(100);
  expect(served.answers).toMatchObject([{ kind: 'given', repeated: false }]);
  const [kept, written] = [secret(), records()];
  expect(written).toHaveLength(1);
  await world.clock.advance(2_000);
  expect(await ask(served)).toBe(key());
  expect(served.answers[1]).toMatchObject({ kind: 'given', repeated: true });
  expect([secret(), records()]).toEqual([kept, written]);
});

const isEnrolment = ({ writes }: KvTxn) => writes.some((one) => one.kind === 'put' && one.key === KEYS.enrolment(DB1));

test.skipIf(!hasOpenssl)('what etcd has written is found again where its reply was lost', async () => {
  const lead = world.mustLead();
  const served = await serve(lead);
  lead.kv.inject({ kind: 'loseReply', operation: 'txn', matching: isEnrolment });
  const lost = lead.kv.fired.loseReply;
  expect(await ask(served)).toBe(key());
  expect(lead.kv.fired.loseReply - lost).toBe(1);
  expect(served.answers).toMatchObject([{ kind: 'given', repeated: false }]);
  expect(records()).toHaveLength(1);
});

test.skipIf(!hasOpenssl)('and where nobody could say what became of it, the agent asks again', async () => {
  const lead = world.mustLead();
  const all: Served[] = [];
  for (const node of world.nodes) all.push(await serve(node));
  // From this write on nothing that etcd says reaches the leader.
  const cut = (txn: KvTxn) => isEnrolment(txn) && (lead.kv.cut('replies'), true);
  lead.kv.inject({ kind: 'loseReply', operation: 'txn', matching: cut });
  const { loseReply, cutReply } = lead.kv.fired;
  expect(await ask(...all).then(() => 'a key', nameOf)).toBe('NotLeading');
  expect([lead.kv.fired.loseReply - loseReply, lead.kv.fired.cutReply > cutReply]).toEqual([1, true]);
  const answers = () => all.flatMap((one) => one.answers);
  expect(answers().map(({ kind }) => kind)).toEqual(['unknown-outcome']);
  const [kept, written] = [secret(), records()];
  expect(written).toHaveLength(1);
  lead.kv.heal();
  await world.clock.advance(60_000);
  expect(await ask(...all)).toBe(key());
  expect(answers().at(-1)).toMatchObject({ kind: 'given', repeated: true });
  expect([secret(), records()]).toEqual([kept, written]);
});

test.skipIf(!hasOpenssl)('and by another leader, where the one that gave it is gone', async () => {
  const first = world.mustLead();
  const all = [await serve(first, 'its first answer')];
  for (const node of world.nodes) if (node !== first) all.push(await serve(node));
  const [lost] = all;
  if (!lost) throw new Error('nobody is served');
  // The others say that they do not lead.
  expect(await losing(lost, ask(...all))).toBe('NotLeading');
  expect(lost.answers).toMatchObject([{ kind: 'given', repeated: false }]);
  const [kept, written] = [secret(), records()];
  first.kill();
  await world.until('another one leads', () => world.leader() !== null, 120_000);
  await world.clock.advance(30_000);
  expect(await ask(...all)).toBe(key());
  expect(all.flatMap(({ answers }) => answers).map((one) => one.kind === 'given' && one.repeated)).toEqual([
    false,
    true,
  ]);
  expect([secret(), records()]).toEqual([kept, written]);
  // Whoever else asks there is refused by the next leader too.
  rmSync(secretFile);
  expect(await ask(...all).then(() => 'a key', nameOf)).toBe('AlreadyEnrolled');
});
