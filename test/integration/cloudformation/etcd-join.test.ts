import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { etcdBinary } from '@understudy/local-cluster';
import { SystemClock } from '@understudy/shared/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/**
 * The part of boot.sh that decides how a host's etcd comes into the cluster, run as it stands with
 * real etcd members and TLS, and AWS's command replaced.
 */
const ROOT = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const clock = new SystemClock();
const ADDRESSES = { c1: '127.87.1.10', c2: '127.87.2.10', c3: '127.87.3.10' } as const;
type Name = keyof typeof ADDRESSES;
const NAMES = Object.keys(ADDRESSES) as readonly Name[];

let folder = '';
let etcd = '';
const members = new Map<Name, ChildProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-join-'));
  etcd = await etcdBinary(process.env);
  const certs = (...args: readonly string[]) => run(join(ROOT, 'understudy'), ['certs', ...args]);
  const pki = join(folder, 'pki');
  await certs('init', pki);
  const sans = [...Object.values(ADDRESSES), '127.0.0.1'].flatMap((address) => ['--san', address]);
  await certs('issue', pki, 'etcd-member', 'member', ...sans);
  await certs('issue', pki, 'etcd-client', 'client');
  mkdirSync(join(folder, 'tls'));
  for (const [file, from] of Object.entries({
    ...{ 'etcd-ca.pem': 'ca.pem', 'etcd-member.pem': 'member.pem', 'etcd-member.key': 'member.key' },
    ...{ 'etcd-client.pem': 'client.pem', 'etcd-client.key': 'client.key' },
  }))
    writeFileSync(join(folder, 'tls', file), readFileSync(join(pki, 'etcd', from)));
}, 60_000);
afterEach(async () => {
  for (const name of NAMES) await kill(name);
  for (const name of NAMES) rmSync(join(folder, name), { recursive: true, force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const boot = readFileSync(join(ROOT, 'deploy/cloudformation/boot.sh'), 'utf8');
const functionOf = (name: string): string => new RegExp(`^${name}\\(\\) \\{\\n[^]*?^\\}\\n`, 'm').exec(boot)?.[0] ?? '';

/** What this host would start etcd with. `wasReady`: what Parameter Store says. */
async function joinAs(name: Name, wasReady: boolean, signal?: AbortSignal): Promise<string> {
  const aws = wasReady ? 'echo yes' : 'echo ParameterNotFound >&2; return 1';
  const script = `
    set -eu
    say() { echo "$*" >&2; }
    aws() { ${aws}; }
    NAME=${name} IP=${ADDRESSES[name]} IP_A=${ADDRESSES.c1} IP_B=${ADDRESSES.c2} IP_C=${ADDRESSES.c3}
    REGION=eu-central-1 READY_PARAMETER=/x
    ${functionOf('was_ready')}
    ${functionOf('admit')}
    ${functionOf('join_cluster')}
    join_cluster >&2
    echo "$STATE $MEMBERS"`
    .replaceAll('/usr/local/bin/etcdctl', join(dirname(etcd), 'etcdctl'))
    .replaceAll('/etc/understudy/tls', join(folder, 'tls'))
    .replaceAll('/var/lib/etcd/data', join(folder, name, 'data'));
  const { stdout } = await run('sh', ['-c', script], {
    ...(signal ? { signal } : {}),
    env: { ...process.env, ETCDCTL_API: '3' },
  });
  return stdout.trim();
}

/** etcd with the very words of the unit that boot.sh writes. */
function start(name: Name, joined: string): void {
  const [state = '', list = ''] = joined.split(' ');
  const values: Readonly<Record<string, string>> = {
    ...{ NAME: name, IP: ADDRESSES[name], MEMBERS: list, STATE: state, CLUSTER: 'main' },
  };
  const line = /ExecStart=\/usr\/local\/bin\/etcd ([^]*?)\nRestart/.exec(boot)?.[1] ?? '';
  const words = line
    .replaceAll(/\\\\\n/g, ' ')
    .replaceAll(/\$([A-Z]+)/g, (_, variable: string) => values[variable] ?? '')
    .replaceAll('/etc/etcd', join(folder, 'tls'))
    .replaceAll('/var/lib/etcd/data', join(folder, name, 'data'))
    .replace(',https://127.0.0.1:2379', '')
    .trim()
    .split(/\s+/);
  mkdirSync(join(folder, name), { recursive: true });
  members.set(name, spawn(etcd, [...words, '--log-level', 'error', '--unsafe-no-fsync'], { stdio: 'ignore' }));
}

async function kill(name: Name): Promise<void> {
  const child = members.get(name);
  members.delete(name);
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

const ask = async (at: Name, ...args: readonly string[]): Promise<string> => {
  const files = ['--cacert', 'etcd-ca.pem', '--cert', 'etcd-client.pem', '--key', 'etcd-client.key'];
  const all = ['--endpoints', `https://${ADDRESSES[at]}:2379`, '--command-timeout', '5s', ...files, ...args];
  const { stdout } = await run(join(dirname(etcd), 'etcdctl'), all, { cwd: join(folder, 'tls') });
  return stdout.trim();
};

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const fromMs = clock.monotonicMs();
  while (!(await look().catch(() => false))) {
    expect(clock.monotonicMs() - fromMs, what).toBeLessThan(60_000);
    await clock.sleep(300);
  }
}

const startedCount = async (at: Name): Promise<number> =>
  (await ask(at, 'member', 'list')).split('\n').filter((line) => line.includes(', started,')).length;

async function wholeCluster(): Promise<void> {
  // All three at once, as CloudFormation makes them.
  const joined = await Promise.all(NAMES.map((name) => joinAs(name, false)));
  expect(joined.every((one) => one.startsWith('new '))).toBe(true);
  for (const [index, name] of NAMES.entries()) start(name, joined[index] ?? '');
  await until('three members', async () => (await startedCount('c1')) === 3);
}

describe('a host and its etcd member', () => {
  it('begin the cluster together, and a late third finds its place', async () => {
    const first = await Promise.all((['c1', 'c2'] as const).map((name) => joinAs(name, false)));
    start('c1', first[0] ?? '');
    start('c2', first[1] ?? '');
    await until('two of three agree', async () => (await ask('c1', 'put', '/a', '1')) === 'OK');
    start('c3', await joinAs('c3', true));
    await until('three members', async () => (await startedCount('c1')) === 3);
    expect(await ask('c3', 'get', '/a', '--print-value-only')).toBe('1');
  }, 120_000);

  it('that was replaced takes its old member out and comes as a new one, with all there is', async () => {
    await wholeCluster();
    await ask('c1', 'put', '/a', '1');
    const before = await ask('c1', 'member', 'list');
    await kill('c2');
    rmSync(join(folder, 'c2'), { recursive: true });
    const joined = await joinAs('c2', true);
    expect(joined).toMatch(/^existing c1=/);
    start('c2', joined);
    await until('three members', async () => (await startedCount('c1')) === 3);
    expect(await ask('c2', 'get', '/a', '--print-value-only')).toBe('1');
    const idOf = (list: string) =>
      list
        .split('\n')
        .find((line) => line.includes(', c2,'))
        ?.split(',')[0];
    expect(idOf(await ask('c1', 'member', 'list'))).not.toBe(idOf(before));
  }, 120_000);

  it('that is cut off once it was admitted finds itself in the list, and comes in all the same', async () => {
    await wholeCluster();
    await kill('c2');
    rmSync(join(folder, 'c2'), { recursive: true });
    expect(await joinAs('c2', true)).toMatch(/^existing /);
    const admitted = await ask('c1', 'member', 'list');
    expect(admitted).toContain(', unstarted,');
    const joined = await joinAs('c2', true);
    expect(joined).toMatch(/^existing /);
    expect((await ask('c1', 'member', 'list')).split('\n').toSorted()).toEqual(admitted.split('\n').toSorted());
    start('c2', joined);
    await until('three members', async () => (await startedCount('c1')) === 3);
  }, 120_000);

  it('that restarts with its data changes nothing', async () => {
    await wholeCluster();
    const before = await ask('c1', 'member', 'list');
    await kill('c3');
    expect(await joinAs('c3', true)).toMatch(/^new /);
    start('c3', await joinAs('c3', true));
    await until('c3 answers', async () => (await ask('c3', 'put', '/a', '1')) === 'OK');
    expect((await ask('c1', 'member', 'list')).split('\n').toSorted()).toEqual(before.split('\n').toSorted());
  }, 120_000);

  it('never begin a cluster that was ready before: they wait until the others answer', async () => {
    const waiting = new AbortController();
    const joined = joinAs('c1', true, waiting.signal).then(
      () => 'went on',
      () => 'still waited',
    );
    const timer = clock.setTimer(15_000, () => waiting.abort());
    expect(await joined).toBe('still waited');
    timer.cancel();
  }, 60_000);
});
