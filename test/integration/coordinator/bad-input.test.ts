import { createServer, type Server } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import { keyspace, StatusViewSchema } from '@understudy/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EtcdCluster } from '../etcd/etcd-cluster.ts';
import { Bench, loopbackSocket, until } from './processes.ts';

let bench: Bench;
let etcd: EtcdCluster | null;
beforeEach(() => {
  bench = new Bench();
  etcd = null;
});
afterEach(async () => {
  await bench.close();
  await etcd?.stop();
});

const problemsOf = (body: string) =>
  (JSON.parse(body) as { problems: { code: string }[] }).problems.map((one) => one.code);

describe('refused at start with a clear sentence and exit code 78', () => {
  test.each<[string, object, readonly string[]]>([
    ['an unknown key', { observe: {} }, ['CONFIG_INVALID', 'observe']],
    ['inconsistent times', { loop: { tickMs: 5_000 } }, ['CONFIG_INVALID', '5000', '1200']],
    ['a missing key file', { keys: [{ id: 1, file: '/nowhere/master.key' }] }, ['KEY_INVALID', '/nowhere/master.key']],
  ])('%s', async (_, over, said) => {
    const { path, httpPort } = await bench.config(0, ['http://127.0.0.1:1'], 1, over);
    const process = bench.start(path, httpPort);
    expect(await process.exited).toBe(78);
    for (const word of said) expect(process.stderr).toContain(word);
  });

  test('a key file that is no key', async () => {
    const file = join(bench.dir, 'short.key');
    writeFileSync(file, 'deadbeef', { mode: 0o600 });
    const { path, httpPort } = await bench.config(0, ['http://127.0.0.1:1'], 1, { keys: [{ id: 1, file }] });
    const process = bench.start(path, httpPort);
    expect(await process.exited).toBe(78);
    expect(process.stderr).toContain('short.key');
    expect(process.stderr).toContain('64 hex characters');
    expect(process.stdout + process.stderr).not.toContain('deadbeef');
  });

  test('a port somebody else has', async () => {
    const { path, httpPort } = await bench.config(0, ['http://127.0.0.1:1'], 1);
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(httpPort, '127.0.0.1', resolve));
    const process = bench.start(path, httpPort);
    expect(await process.exited).toBe(78);
    expect(process.stderr).toContain(String(httpPort));
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('waited out, in sight, without a crash', () => {
  test('etcd is down at start: healthy but not ready, then it joins', async () => {
    etcd = await EtcdCluster.start();
    await etcd.kill(0);
    const { path, httpPort } = await bench.config(0, etcd.hosts, 1);
    const process = bench.start(path, httpPort);
    const ready = await until('listening', () => process.get('/readyz'));
    expect(ready.status).toBe(503);
    expect(problemsOf(ready.body)).toEqual(['STORE_UNAVAILABLE']);
    expect((await process.get('/healthz'))?.status).toBe(200);
    await until('it tried again', () => process.stdout.includes('store.unreachable'));
    etcd.launch(0);
    await until('ready', async () => (await process.get('/readyz'))?.status === 200);
    expect(process.running).toBe(true);
  });

  test('wrong AWS credentials, then a wrong endpoint: not ready, with the code; the process stays', async () => {
    etcd = await EtcdCluster.start();
    await bench.startCloud();
    const denied = await bench.config(0, etcd.hosts, 1);
    const first = bench.start(denied.path, denied.httpPort, { AWS_ACCESS_KEY_ID: 'AKIASTRANGER' });
    await until('denied', async () => {
      const reply = await first.get('/readyz');
      return reply?.status === 503 && problemsOf(reply.body).includes('CLOUD_DENIED');
    });
    const status = StatusViewSchema.parse(await first.json('/v1/status'));
    expect(status.problems?.map((one) => one.code)).toContain('CLOUD_DENIED');
    expect(first.running).toBe(true);
    expect(await first.kill('SIGTERM')).toBe(0);

    const nowhere = await bench.config(1, etcd.hosts, 1, {
      aws: { region: 'us-east-1', endpoint: 'http://127.0.0.1:1', callTimeoutMs: 1_500 },
    });
    const second = bench.start(nowhere.path, nowhere.httpPort);
    await until('unavailable', async () => {
      const reply = await second.get('/readyz');
      return reply?.status === 503 && problemsOf(reply.body).includes('CLOUD_UNAVAILABLE');
    });
    expect(second.running).toBe(true);
  });

  test('a garbage datagram is counted; unreadable records and untagged instances are on show; it goes on', async () => {
    etcd = await EtcdCluster.start();
    const { sim } = await bench.startCloud();
    seedInstance(sim, { member: 'prod/db1', userData: 'x' });
    seedInstance(sim, { tags: { 'understudy:group': 'prod' } });
    const { path, httpPort, udpPort } = await bench.config(0, etcd.hosts, 1);
    bench.followMachines();
    const process = bench.start(path, httpPort);
    await until('enrolled and alive', async () => {
      const members = await process.json<{ members: { verdict: string }[] }>('/v1/members');
      return members?.members[0]?.verdict === 'alive';
    });
    const socket = await loopbackSocket();
    await socket.send(Buffer.from('hello'), { address: '127.0.0.1', port: udpPort });
    await socket.close();
    await until('counted', async () =>
      /dropped_total\{reason="malformed"\} 1/.test((await process.get('/metrics'))?.body ?? ''),
    );
    const status = StatusViewSchema.parse(await process.json('/v1/status'));
    expect(status.problems?.map((one) => one.code)).toEqual(['MemberTagMissing']);

    const store = openStore({ hosts: etcd.hosts });
    const keys = keyspace();
    await store.txn({ compare: [], writes: [{ kind: 'put', key: keys.group('prod'), value: 'not json' }] });
    await until('held', async () => {
      const { holds = [] } = (await process.json<{ holds: { reason: string }[] }>('/v1/holds')) ?? {};
      return holds[0]?.reason === 'RecordUnreadable';
    });
    expect((await store.get(keys.group('prod')))?.value).toBe('not json');
    await store.txn({ compare: [], writes: [{ kind: 'delete', key: keys.group('prod') }] });
    await until('released', async () => (await process.json<{ holds: unknown[] }>('/v1/holds'))?.holds.length === 0);
    await store.close();
    expect(process.running).toBe(true);
  });
});
