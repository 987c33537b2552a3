import { createServer, type Server } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import { keyspace, StatusViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { describe, expect, test } from 'vitest';
import { clusterPerTest } from './cluster-per-test.ts';
import { loopbackSocket } from './coordinator-cluster.ts';

const problemsOf = (body: string) =>
  (JSON.parse(body) as { problems: { code: string }[] }).problems.map((one) => one.code);

describe('refused at start with a clear sentence and exit code 78', () => {
  const now = clusterPerTest({ etcd: false });

  test.each<[string, object, readonly string[]]>([
    ['an unknown key', { observe: {} }, ['CONFIG_INVALID', 'observe']],
    ['inconsistent times', { loop: { tickMs: 5_000 } }, ['CONFIG_INVALID', '5000', '1200']],
    ['a missing key file', { keys: [{ id: 1, file: '/nowhere/master.key' }] }, ['KEY_INVALID', '/nowhere/master.key']],
  ])('%s', async (_, over, said) => {
    const { path, httpPort } = await now.cluster.config(0, ['http://127.0.0.1:1'], 1, over);
    const process = now.cluster.start(path, httpPort);
    expect(await process.exited).toBe(78);
    for (const word of said) expect(process.output).toContain(word);
  });

  test('a key file that is no key', async () => {
    const file = join(now.cluster.dir, 'short.key');
    writeFileSync(file, 'deadbeef', { mode: 0o600 });
    const { path, httpPort } = await now.cluster.config(0, ['http://127.0.0.1:1'], 1, { keys: [{ id: 1, file }] });
    const process = now.cluster.start(path, httpPort);
    expect(await process.exited).toBe(78);
    expect(process.output).toContain('short.key');
    expect(process.output).toContain('64 hex characters');
    expect(process.output).not.toContain('deadbeef');
  });

  test('a port somebody else has', async () => {
    const { path, httpPort } = await now.cluster.config(0, ['http://127.0.0.1:1'], 1);
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(httpPort, '127.0.0.1', resolve));
    const process = now.cluster.start(path, httpPort);
    expect(await process.exited).toBe(78);
    expect(process.output).toContain(String(httpPort));
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('waited out, in sight, without a crash', () => {
  const now = clusterPerTest();

  test('etcd is down at start: healthy but not ready, then it joins', async () => {
    await now.etcd.kill(0);
    const { path, httpPort } = await now.cluster.config(0, now.etcd.hosts, 1);
    const process = now.cluster.start(path, httpPort);
    const ready = await until('listening', () => process.get('/readyz'));
    expect(ready.status).toBe(503);
    expect(problemsOf(ready.body)).toEqual(['STORE_UNAVAILABLE']);
    expect((await process.get('/healthz'))?.status).toBe(200);
    await until('it tried again', () => process.output.includes('store.unreachable'));
    now.etcd.launch(0);
    await until('ready', async () => (await process.get('/readyz'))?.status === 200);
    expect(process.running).toBe(true);
  });

  test('wrong AWS credentials, then a wrong endpoint: not ready, with the code; the process stays', async () => {
    await now.cluster.startCloud();
    const denied = await now.cluster.config(0, now.etcd.hosts, 1);
    const first = now.cluster.start(denied.path, denied.httpPort, { AWS_ACCESS_KEY_ID: 'AKIASTRANGER' });
    await until('denied', async () => {
      const reply = await first.get('/readyz');
      return reply?.status === 503 && problemsOf(reply.body).includes('CLOUD_DENIED');
    });
    const status = StatusViewSchema.parse(await first.json('/v1/status'));
    expect(status.problems?.map((one) => one.code)).toContain('CLOUD_DENIED');
    expect(first.running).toBe(true);
    expect(await first.kill('SIGTERM')).toBe(0);

    const nowhere = await now.cluster.config(1, now.etcd.hosts, 1, {
      aws: { region: 'us-east-1', endpoint: 'http://127.0.0.1:1', callTimeoutMs: 1_500 },
    });
    const second = now.cluster.start(nowhere.path, nowhere.httpPort);
    await until('unavailable', async () => {
      const reply = await second.get('/readyz');
      return reply?.status === 503 && problemsOf(reply.body).includes('CLOUD_UNAVAILABLE');
    });
    expect(second.running).toBe(true);
  });

  test('a garbage datagram is counted; unreadable records and untagged instances are on show; it goes on', async () => {
    const { sim } = await now.cluster.startCloud();
    seedInstance(sim, { member: 'prod/db1', userData: 'x' });
    seedInstance(sim, { tags: { 'understudy:group': 'prod' } });
    const { path, httpPort, udpPort } = await now.cluster.config(0, now.etcd.hosts, 1);
    now.cluster.followMachines();
    const process = now.cluster.start(path, httpPort);
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

    const store = openStore({ hosts: now.etcd.hosts });
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
