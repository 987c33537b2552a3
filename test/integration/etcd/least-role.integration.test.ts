import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import type { Problem } from '@understudy/shared';
import { Etcd3 } from 'etcd3';
import { until } from '@understudy/shared/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { CoordinatorCluster } from '../coordinator/coordinator-cluster.ts';
import { hasOpenssl, makeCertificates } from './certificates.ts';
import { EtcdCluster } from '@understudy/local-cluster';

const ROOT = '/understudy/v1/';
/** What a coordinator writes beside `leader`, as docs/etcd-keys.md names it. */
const AREAS = [
  ...[
    ...([
      'audit',
      'answers',
      'drains',
      'leader-transfer',
      'outbox',
      'undelivered',
      'enrolments',
      'deeds',
      'preparations',
      'prepared',
    ] as const),
    'coordinators',
    'opinions',
    'judgements',
    'judge',
    'findings',
    'level',
    'members',
    'policies',
    'activations',
    'intents',
    'journal',
  ],
  ...['holds', 'requests', 'history'],
];

let folder: string;
let cluster: CoordinatorCluster;
let etcd: EtcdCluster;
let admin: Etcd3;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-role-'));
  cluster = new CoordinatorCluster();
});

afterEach(async () => {
  admin?.close();
  await cluster.close();
  await etcd?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Credentials = { rootCertificate: Buffer; certChain: Buffer; privateKey: Buffer };

/** Users and a role, as in docs/etcd-keys.md; authentication on. */
async function withRole(
  credentials: Credentials | null,
  grants: readonly (readonly ['Read' | 'Readwrite', string])[],
): Promise<void> {
  const common = { hosts: [...etcd.hosts], ...(credentials ? { credentials } : {}) };
  const open = new Etcd3(common);
  const rootUser = await open.user('root').create('secret');
  await rootUser.addRole(await open.role('root').create());
  const role = await open.role('understudy').create();
  for (const [permission, prefix] of grants) await role.grant({ permission, range: open.range({ prefix }) });
  await (await open.user('coordinator').create('pass')).addRole(role);
  await open.auth.authEnable();
  open.close();
  admin = new Etcd3({ ...common, auth: { username: 'root', password: 'secret' } });
}

async function startCoordinator(etcdOver: object = {}): Promise<CoordinatorProcess> {
  writeFileSync(join(folder, 'password'), 'pass\n', { mode: 0o600 });
  const { path, httpPort } = await cluster.config(0, etcd.hosts, 1, {
    etcd: {
      ...{ hosts: etcd.hosts, leaseTtlMs: 4_000, leaseMarginMs: 600, keepaliveMs: 500, callTimeoutMs: 1_000 },
      ...{ username: 'coordinator', passwordFile: join(folder, 'password') },
      ...etcdOver,
    },
  });
  cluster.followMachines();
  return cluster.start(path, httpPort);
}

const problemsOf = async (process: CoordinatorProcess): Promise<readonly Problem[]> => {
  const reply = await process.get('/readyz');
  return reply === null ? [] : (JSON.parse(reply.body) as { problems: Problem[] }).problems;
};

/** Ready, the member alive; then it dies and is replaced. */
async function recovers(process: CoordinatorProcess, instanceId: string): Promise<void> {
  await until('ready', async () => (await process.get('/readyz'))?.status === 200);
  await until('alive', async () => {
    const view = await process.json<{ members: { verdict: string }[] }>('/v1/members');
    return view?.members.length === 2 && view.members.every((one) => one.verdict === 'alive');
  });
  expect(cluster.cloud?.sim.crashInstance(instanceId)).toBe(true);
  cluster.followMachines();
  await until('replaced', async () => {
    const view = await process.json<{ history: { outcome: string }[] }>('/v1/history');
    return view?.history[0]?.outcome === 'replaced';
  });
}

async function leadsAndRecovers(process: CoordinatorProcess, instanceId: string): Promise<void> {
  await recovers(process, instanceId);
  expect(await problemsOf(process)).toEqual([]);
}

async function twoMembers(): Promise<string> {
  const { sim } = await cluster.startCloud();
  seedInstance(sim, { member: 'prod/db2', az: 'us-east-1b', userData: 'x' });
  return seedInstance(sim, { member: 'prod/db1', userData: 'x' }).instanceId;
}

describe('a role with readwrite on the root prefix, and nothing else', () => {
  test('is enough to start, lead and recover, with user and password', async () => {
    etcd = await EtcdCluster.start();
    await withRole(null, [['Readwrite', ROOT]]);
    const instanceId = await twoMembers();
    await leadsAndRecovers(await startCoordinator(), instanceId);
  });

  test.skipIf(!hasOpenssl)('and with TLS client certificates beside them', async () => {
    makeCertificates(folder);
    const file = (name: string) => join(folder, name);
    etcd = await EtcdCluster.start({ tls: { ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') } });
    const pem = (name: string) => readFileSync(file(name));
    const credentials = { rootCertificate: pem('ca.pem'), certChain: pem('client.pem'), privateKey: pem('client.key') };
    await withRole(credentials, [['Readwrite', ROOT]]);
    const instanceId = await twoMembers();
    const tls = { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client.key') };
    await leadsAndRecovers(await startCoordinator({ tls }), instanceId);
  });

  test('so is one that may not write groups and pauses; an older one without deeds is only remarked', async () => {
    etcd = await EtcdCluster.start();
    const areas = AREAS.filter((area) => area !== 'deeds');
    await withRole(null, [
      ['Read', ROOT],
      ['Readwrite', `${ROOT}leader`],
      ...areas.map((area) => ['Readwrite', `${ROOT}${area}/`] as const),
    ]);
    const instanceId = await twoMembers();
    const process = await startCoordinator();
    await recovers(process, instanceId);
    const remark = await until('remarked', async () => {
      const status = await process.json<{ problems: Problem[] }>('/v1/status');
      return status?.problems.find((one) => one.code === 'STORE_DENIED');
    });
    expect(remark.text).toContain(`write ${ROOT}deeds/`);
    expect((await process.get('/readyz'))?.status).toBe(200);
  });
});

describe('a role that is too small', () => {
  test('reads only: not ready, each prefix is named with the remedy; granted, it goes on by itself', async () => {
    etcd = await EtcdCluster.start();
    await withRole(null, [['Read', ROOT]]);
    const instanceId = await twoMembers();
    const process = await startCoordinator();
    const denied = await until('denied', async () =>
      (await problemsOf(process)).find((one) => one.code === 'STORE_DENIED'),
    );
    const told = await until('all areas named', async () => {
      const text = (await problemsOf(process)).find((one) => one.code === 'STORE_DENIED')?.text ?? '';
      return text.includes(`${ROOT}journal/`) && text.includes(`${ROOT}leader`) && text;
    });
    expect(told).toContain('permission denied');
    expect(denied.remedy).toContain('readwrite on the whole root prefix');
    expect((await process.get('/readyz'))?.status).toBe(503);
    await admin.role('understudy').grant({ permission: 'Readwrite', range: admin.range({ prefix: ROOT }) });
    await leadsAndRecovers(process, instanceId);
  });

  test('lacks one area: that one is named, and no other', async () => {
    etcd = await EtcdCluster.start();
    const areas = AREAS.filter((area) => area !== 'holds');
    await withRole(null, [
      ['Read', ROOT],
      ['Readwrite', `${ROOT}leader`],
      ...areas.map((area) => ['Readwrite', `${ROOT}${area}/`] as const),
    ]);
    await twoMembers();
    const process = await startCoordinator();
    const denied = await until('denied', async () =>
      (await problemsOf(process)).find((one) => one.code === 'STORE_DENIED'),
    );
    expect(denied.text).toContain(`${ROOT}holds/`);
    for (const area of areas) expect(denied.text).not.toContain(`${ROOT}${area}/`);
  });

  test('may not read the root: the read is named, instead of an etcd that does not answer', async () => {
    etcd = await EtcdCluster.start();
    await withRole(null, [['Readwrite', `${ROOT}coordinators/`]]);
    await twoMembers();
    const process = await startCoordinator();
    const denied = await until('denied', async () =>
      (await problemsOf(process)).find((one) => one.text.includes(`read ${ROOT}:`)),
    );
    expect(denied.code).toBe('STORE_DENIED');
    expect((await problemsOf(process)).map((one) => one.code)).not.toContain('STORE_UNAVAILABLE');
  });

  test('wrong password: said as such', async () => {
    etcd = await EtcdCluster.start();
    await withRole(null, [['Readwrite', ROOT]]);
    writeFileSync(join(folder, 'wrong'), 'guess', { mode: 0o600 });
    const process = await startCoordinator({ passwordFile: join(folder, 'wrong') });
    const rejected = await until('rejected', async () =>
      (await problemsOf(process)).find((one) => one.code === 'STORE_REJECTED'),
    );
    expect(rejected.text).toContain('authentication failed');
  });
});
