import { RecordingLog, SeededRandom } from '@understudy/shared/testing';
import { SystemClock } from '@understudy/shared/node';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckRunner } from '../checks/check-runner.ts';
import { metadataCheck } from '../checks/metadata.ts';
import { storageCheck } from '../checks/storage.ts';
import { AgentConfigSchema } from '../config.ts';
import { activationOutputs } from './activation-outputs.ts';
import { runCommand } from './command-runner.ts';
import { ImdsClient } from './imds-client.ts';
import { networkProbes } from './network-probes.ts';
import { pressureFiles } from './pressure-files.ts';
import { stateFile } from './state-file.ts';
import { ChildStorageProbe } from './storage-probe.ts';
import { mountTable } from './mount-table.ts';
import { openUdpSocket } from './udp-socket.ts';

const clock = new SystemClock();
const closing: (() => unknown)[] = [];
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-agent-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});
const until = async (holds: () => boolean, limitMs = 15_000) => {
  for (const endMs = clock.monotonicMs() + limitMs; !holds(); await clock.sleep(10)) {
    if (clock.monotonicMs() > endMs) throw new Error('did not come to hold');
  }
};

describe('storage probe', () => {
  const expectedOf = (mounts: string[], probeFolders: string[]) => ({
    devices: [],
    mounts: mounts.map((path) => ({ path, minFreeBytes: 1, minFreeInodes: 0 })),
    probeFolders,
    plainFolders: true,
  });
  const patience = () => AbortSignal.timeout(10_000);

  it('writes and syncs 4 KiB in each folder and reports the room, also with spaces in a name', async () => {
    const data = join(folder, 'the data');
    mkdirSync(data);
    const probe = new ChildStorageProbe({ expected: expectedOf([data, join(folder, 'gone')], [data, folder]), clock });
    const outcome = await probe.probe(patience());
    if (outcome.kind !== 'found') throw new Error('hung');
    expect(outcome.findings.mounts[0]?.freeBytes).toBeGreaterThan(0);
    expect(outcome.findings.mounts[1]).toBeNull();
    expect(outcome.findings.folders.map(({ error }) => error)).toEqual([null, null]);
    expect(statSync(join(data, '.understudy-probe')).size).toBe(4_096);
  });

  it('says why a folder cannot be written', async () => {
    const probe = new ChildStorageProbe({ expected: expectedOf([], [join(folder, 'gone')]), clock });
    const outcome = await probe.probe(patience());
    expect(outcome).toMatchObject({
      kind: 'found',
      findings: { folders: [{ error: expect.stringContaining('No such file') }] },
    });
  });

  it('a child that hangs is left alone: unknown first, then failing with the age of the hang, and good again afterwards', async () => {
    const hang = join(folder, 'hang');
    const starts = join(folder, 'starts');
    writeFileSync(hang, '');
    const script = `echo x >> ${starts}; if [ -e ${hang} ]; then sleep 60; fi; echo 'room 4096 9 9 9 9'; echo 'write ok'`;
    const expected = expectedOf([], [folder]);
    const probe = new ChildStorageProbe({ expected, clock, command: ['/bin/sh', '-c', script, 'probe'] });
    const runner = new CheckRunner({
      name: 'storage',
      check: storageCheck(expected, mountTable(), probe),
      schedule: { intervalMs: 500, deadlineMs: 200, rise: 1, fall: 2 },
      clock,
      random: new SeededRandom(1),
      log: new RecordingLog(),
    });
    closing.push(() => runner.stop());
    runner.start();
    await until(() => runner.state.code === 'probeHung');
    expect(runner.state.status).toBe('unknown');
    await until(() => runner.state.status === 'fail');
    expect(runner.state.code).toBe('probeHung');
    expect(clock.monotonicMs() - runner.state.observedAtMs).toBeGreaterThan(300);
    expect(readFileSync(starts, 'utf8').length).toBeGreaterThan(0);
    rmSync(hang);
    await until(() => runner.state.status === 'pass');
  });
});

describe('hooks and file', () => {
  const configWith = (activation: object) =>
    AgentConfigSchema.parse({
      member: 'shop/db-1',
      key: { id: 1, hex: 'ab'.repeat(32) },
      coordinators: ['127.0.0.1:1'],
      rootDir: folder,
      activation: { file: '/run/activation.json', ...activation },
    });

  it('the file is replaced whole and names member, instance and incarnation', async () => {
    const outputs = activationOutputs({ config: configWith({}), clock, log: new RecordingLog() });
    await outputs.writeFile({ state: 'active', incarnation: 2, instanceId: 'i-1' });
    const path = join(folder, 'run/activation.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      state: 'active',
      incarnation: 2,
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      instanceId: 'i-1',
      member: 'shop/db-1',
    });
    await outputs.removeFile();
    await outputs.removeFile();
    expect(existsSync(path)).toBe(false);
  });

  it('a hook gets its environment; one that fails rejects with its code and output', async () => {
    const out = join(folder, 'out');
    const script = `echo "$UNDERSTUDY_MEMBER $UNDERSTUDY_INSTANCE_ID $UNDERSTUDY_INCARNATION $UNDERSTUDY_ROOT $UNDERSTUDY_STATE" > ${out}`;
    const config = configWith({
      onActivate: ['/bin/sh', '-c', script],
      onDeactivate: ['/bin/sh', '-c', 'echo no; exit 3'],
    });
    const outputs = activationOutputs({ config, clock, log: new RecordingLog() });
    await outputs.runHook({ state: 'active', incarnation: 2, instanceId: 'i-1' });
    expect(readFileSync(out, 'utf8')).toBe(`shop/db-1 i-1 2 ${folder} active\n`);
    await expect(outputs.runHook({ state: 'fenced', incarnation: 2, instanceId: 'i-1' })).rejects.toThrow(
      /exit code 3: no/,
    );
  });

  it('a command that takes too long is ended with its children', async () => {
    const beat = join(folder, 'beat');
    const outcome = await runCommand(['/bin/sh', '-c', `(while :; do echo x >> ${beat}; sleep 0.05; done) & wait`], {
      clock,
      timeoutMs: 300,
    });
    expect(outcome.kind).toBe('killed');
    const sizeThen = statSync(beat).size;
    expect(sizeThen).toBeGreaterThan(0);
    await clock.sleep(300);
    expect(statSync(beat).size).toBe(sizeThen);
  });

  it.each([
    ['ends at SIGTERM', 'sleep 60 & wait', 0, 300],
    ['ignores SIGTERM', 'trap "" TERM; echo on; while :; do sleep 0.05; done', 300, 900],
  ])('a command that is not wanted any more and %s is ended', async (_name, script, fromMs, toMs) => {
    const stop = new AbortController();
    const options = { clock, timeoutMs: 60_000, graceMs: 300, signal: stop.signal };
    const ended = runCommand(['/bin/sh', '-c', `echo > ${folder}/began; ${script}`], options);
    await until(() => existsSync(join(folder, 'began')));
    await clock.sleep(50);
    const atMs = clock.monotonicMs();
    stop.abort();
    expect(await ended).toEqual({ kind: 'killed', detail: 'not wanted any more' });
    expect(clock.monotonicMs() - atMs).toBeGreaterThanOrEqual(fromMs);
    expect(clock.monotonicMs() - atMs).toBeLessThan(toMs + 2_000);
    const before = await runCommand(['/bin/sh', '-c', 'exec sleep 60'], options);
    expect(before).toEqual({ kind: 'killed', detail: 'not wanted any more' });
  });

  it('a program that is not there is an outcome, not a crash', async () => {
    expect((await runCommand(['/nope/hook'], { clock, timeoutMs: 1_000 })).kind).toBe('not-started');
  });
});

describe('state file', () => {
  it('keeps a u64 epoch, and what cannot be read counts as none', async () => {
    const faults: string[] = [];
    const store = stateFile(join(folder, 'sub/state.json'), (detail) => faults.push(detail));
    expect(await store.read()).toBeNull();
    await store.write({ instanceId: 'i-1', bootEpoch: 9_007_199_254_740_993n });
    expect(await store.read()).toEqual({ instanceId: 'i-1', bootEpoch: 9_007_199_254_740_993n });
    expect(faults).toEqual([]);
    writeFileSync(join(folder, 'sub/state.json'), '{"half');
    expect(await store.read()).toBeNull();
    expect(faults.length).toBe(1);
  });

  it('a folder that cannot be made rejects', async () => {
    writeFileSync(join(folder, 'sub'), 'a file where the folder should be');
    const store = stateFile(join(folder, 'sub/state.json'), () => undefined);
    await expect(store.write({ instanceId: 'i-1', bootEpoch: 1n })).rejects.toThrow();
  });
});

describe('IMDSv2 client', () => {
  const serve = async (answer: (url: string, token: string | undefined) => [number, string]) => {
    const requests: string[] = [];
    const server: Server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      const token = request.headers['x-aws-ec2-metadata-token'];
      const [status, body] = answer(request.url ?? '', typeof token === 'string' ? token : undefined);
      if (status === 0) return;
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new ImdsClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      timeoutMs: 300,
      clock,
    });
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { client, requests };
  };

  it('asks for a token once, and again when it is refused', async () => {
    let token = 't1';
    const { client, requests } = await serve((url, given) => {
      if (url === '/latest/api/token') return [200, token];
      return given === token ? [200, 'i-1'] : [401, ''];
    });
    expect(await client.get('instance-id')).toEqual({ kind: 'found', text: 'i-1' });
    expect(await client.get('instance-id')).toEqual({ kind: 'found', text: 'i-1' });
    token = 't2';
    expect(await client.get('instance-id')).toEqual({ kind: 'found', text: 'i-1' });
    expect(requests.filter((line) => line.startsWith('PUT')).length).toBe(2);
    expect(requests.length).toBe(6);
  });

  it.each([
    [404, 'absent'],
    [503, 'throttled'],
    [429, 'throttled'],
    [500, 'unreachable'],
    [401, 'unreachable'],
  ])('HTTP %i is %s', async (status, kind) => {
    const { client } = await serve((url) => (url === '/latest/api/token' ? [200, 't'] : [status, '']));
    expect((await client.get('spot/instance-action')).kind).toBe(kind);
  });

  const PAGE = '<!DOCTYPE html><html><body>Sign in</body></html>';
  it.each([
    ['instead of a token', (url: string): [number, string] => [200, url === '/latest/api/token' ? PAGE : 'i-1']],
    ['for the instance id', (url: string): [number, string] => [200, url === '/latest/api/token' ? 't' : PAGE]],
    ['JSON for the instance id', (url: string): [number, string] => [200, url === '/latest/api/token' ? 't' : '{}']],
    ['nothing for the instance id', (url: string): [number, string] => [200, url === '/latest/api/token' ? 't' : '']],
  ])('a page %s is no identity', async (_, answer) => {
    const { client } = await serve(answer);
    const lost: string[] = [];
    const check = metadataCheck(client, 'i-1', (found) => lost.push(found));
    expect(await check.run(AbortSignal.timeout(2_000))).toMatchObject({ status: 'fail', code: 'imdsUnreachable' });
    expect(lost).toEqual([]);
  });

  it('a page is no Spot notice', async () => {
    const { client } = await serve((url) => {
      if (url === '/latest/api/token') return [200, 't'];
      return [200, url.endsWith('instance-id') ? 'i-1' : PAGE];
    });
    const check = metadataCheck(client, 'i-1', () => undefined);
    expect(await check.run(AbortSignal.timeout(2_000))).toMatchObject({ status: 'pass' });
  });

  it('the check through a service that is throttled, gone and back', async () => {
    let status = 200;
    const { client } = await serve((url) => {
      if (status !== 200) return [status, ''];
      if (url === '/latest/api/token') return [200, 't'];
      return url.endsWith('instance-id') ? [200, 'i-1'] : [404, ''];
    });
    const check = metadataCheck(client, 'i-1', () => undefined);
    const look = async () => {
      const result = await check.run(AbortSignal.timeout(2_000));
      return `${result.status} ${result.code}`;
    };
    expect(await look()).toBe('pass none');
    status = 429;
    expect(await look()).toBe('warn imdsThrottled');
    status = 0;
    // One round is skipped after a throttle.
    expect(await look()).toBe('warn imdsThrottled');
    expect(await look()).toBe('fail imdsUnreachable');
    status = 200;
    expect(await look()).toBe('pass none');
  });

  it('no answer within the timeout is unreachable, and so is nobody there', async () => {
    const { client } = await serve(() => [0, '']);
    expect(await client.get('instance-id')).toEqual({ kind: 'unreachable', detail: 'no answer in 300 ms' });
    const nobody = new ImdsClient({ endpoint: 'http://127.0.0.1:1', timeoutMs: 300, clock });
    expect((await nobody.get('instance-id')).kind).toBe('unreachable');
  });
});

describe('network probes', () => {
  const probes = (network: object) => {
    const config = AgentConfigSchema.parse({
      member: 'shop/db-1',
      key: { id: 1, hex: 'ab'.repeat(32) },
      coordinators: ['127.0.0.1:1'],
      checks: { network: { intervalMs: 1_000, deadlineMs: 400, gateway: 'none', dns: 'none', ...network } },
    });
    return networkProbes(config.checks.network, clock, () => ({ acking: 0, known: 1 }));
  };

  it('a TCP gateway that accepts or refuses is reachable', async () => {
    const server = createTcpServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await probes({ gateway: `tcp:127.0.0.1:${port}` }).gateway(AbortSignal.timeout(400))).toBe('reachable');
    await new Promise((resolve) => server.close(resolve));
    expect(await probes({ gateway: `tcp:127.0.0.1:${port}` }).gateway(AbortSignal.timeout(400))).toBe('reachable');
  });

  it('NXDOMAIN is an answer, SERVFAIL and REFUSED are errors; a server that says nothing is silent, and so is none', async () => {
    const server = createSocket('udp4');
    let speak = true;
    let code = 3;
    let asked = 0;
    server.on('message', (query, from) => {
      asked++;
      if (!speak) return;
      const reply = Buffer.from(query);
      reply.writeUInt16BE(0x8180 + code, 2);
      server.send(reply, from.port, from.address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const dns = { servers: [`127.0.0.1:${server.address().port}`], name: 'no.such.name.example' };
    expect(await probes({ dns }).dns(AbortSignal.timeout(400))).toBe('answered');
    for (code of [2, 5]) expect(await probes({ dns }).dns(AbortSignal.timeout(400))).toBe('failing');
    expect(await probes({ dns: { ...dns, servers: ['127.0.0.1:1'] } }).dns(AbortSignal.timeout(400))).toBe('silent');
    speak = false;
    expect(await probes({ dns }).dns(AbortSignal.timeout(400))).toBe('silent');
    expect(asked).toBeGreaterThanOrEqual(2);
  });
});

describe('pressure files', () => {
  it('null where the kernel keeps none, otherwise shares of 0-100 %', async () => {
    expect(pressureFiles(join(folder, 'none'))).toBeNull();
    const source = pressureFiles();
    if (!source) return;
    for (const { somePercent, fullPercent } of [await source.cpu(), await source.memory()]) {
      expect(somePercent).toBeGreaterThanOrEqual(fullPercent);
      expect(somePercent).toBeLessThanOrEqual(100);
    }
  });
});

describe('UDP socket', () => {
  it('sends, receives with the sender named, and closes twice', async () => {
    const a = await openUdpSocket({ family: 4, host: '127.0.0.1' });
    const b = await openUdpSocket({ family: 4, host: '127.0.0.1' });
    const heard: string[] = [];
    b.onMessage((payload, from) => heard.push(`${Buffer.from(payload).toString()} ${from.port}`));
    await a.send(Buffer.from('hello'), { address: '127.0.0.1', port: b.localPort });
    await until(() => heard.length === 1);
    expect(heard).toEqual([`hello ${a.localPort}`]);
    await Promise.all([a.close(), a.close(), b.close()]);
    await expect(a.send(Buffer.from('x'), { address: '127.0.0.1', port: 9 })).rejects.toThrow();
  });
});
