import { openUdpSocket } from '@understudy/agent';
import { HeartbeatBatch } from '@understudy/observer/testing';
import { ObserverTable } from '@understudy/observer';
import { type DatagramSocket, deriveAgentKey, type MemberId } from '@understudy/shared';
import { SystemClock, until } from '@understudy/shared/node';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';

const clock = new SystemClock();
const MEMBER = 'shop/db-1' as MemberId;
const INSTANCE = 'i-0aaa';
const MASTER = new Uint8Array(32).fill(5);
const KEY = Buffer.from(deriveAgentKey(MASTER, 1, MEMBER)).toString('hex');
const TICK_MS = 100;

let bundle = '';
let folder = '';
const imds = createServer((request, response) => {
  if (request.method === 'PUT') return void response.end('token');
  if (request.url === '/latest/meta-data/instance-id') return void response.end(INSTANCE);
  response.writeHead(404).end();
});
let imdsUrl = '';
const children: ChildProcess[] = [];
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bundle = await bundleAgent();
  folder = mkdtempSync(join(tmpdir(), 'understudy-two-agents-'));
  await new Promise<void>((resolve) => imds.listen(0, '127.0.0.1', resolve));
  imdsUrl = `http://127.0.0.1:${(imds.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const close of closers.splice(0)) await close();
});
afterAll(() => {
  imds.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A coordinator's receiving side on a real socket; what it thought of the member, in order. */
async function observe(): Promise<{ readonly port: number; readonly thought: string[]; now(): string }> {
  const socket: DatagramSocket = await openUdpSocket({ family: 4, host: '127.0.0.1' });
  const table = new ObserverTable({
    coordinatorId: 'c1',
    startedAtMs: clock.monotonicMs(),
    nonce: new Uint8Array(32).fill(9),
    keyIds: [1],
    keyOf: (keyId, member) => deriveAgentKey(MASTER, keyId, member),
    activations: {
      answer: () => ({ activation: 'active', incarnation: 1, holdsForMs: 20_000, term: 5, leaderLive: true }),
    },
    settings: { warmUpMs: 0, tickMs: TICK_MS, goodbyeGraceMs: 0 },
  });
  const watched = { member: MEMBER, activatedInstanceId: INSTANCE, knownInstanceIds: [], serviceProbes: [] };
  table.setRoster(
    [
      {
        ...watched,
        suspectAfterMs: 2_000,
        confirmForMs: 1_000,
        heartbeatIntervalMs: 1_000,
        answeredProbesHoldForMs: 60_000,
      },
    ],
    clock.monotonicMs(),
  );
  const batch = new HeartbeatBatch(table, ({ ack }, from) => void (ack && socket.send(ack, from)));
  socket.onMessage((payload, from) => {
    batch.add(payload, from, clock.monotonicMs());
    batch.flush();
  });
  const thought: string[] = [];
  const now = () => `${table.opinion(MEMBER)?.verdict} ${table.opinion(MEMBER)?.reason}`;
  const timer = setInterval(() => {
    const nowMs = clock.monotonicMs();
    table.tick(nowMs);
    for (const order of table.planProbes(nowMs)) table.probeResult(order, 'sent', nowMs);
    if (thought.at(-1) !== now()) thought.push(now());
  }, TICK_MS);
  closers.push(async () => {
    clearInterval(timer);
    await socket.close();
  });
  return { port: socket.localPort, thought, now };
}

function startAgent(port: number, rootDir: string, stateDir = '/var/lib/understudy') {
  mkdirSync(rootDir, { recursive: true });
  const config = join(rootDir, `agent${stateDir.replaceAll('/', '-')}.yaml`);
  const text = [
    `member: ${MEMBER}`,
    `key: { id: 1, hex: ${KEY} }`,
    `coordinators: ['127.0.0.1:${port}']`,
    `rootDir: ${rootDir}`,
    `stateDir: ${stateDir}`,
    'heartbeat: { intervalMs: 250 }',
    'checks: { network: { gateway: none, dns: none } }',
  ];
  writeFileSync(config, text.join('\n'));
  const args = [...AGENT_NODE_FLAGS, bundle, '--config', config, '--imds', imdsUrl];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const said = { out: '', errors: '' };
  child.stdout.on('data', (bytes: Buffer) => (said.out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (said.errors += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, said, ended };
}

describe('a second agent process on a healthy host', () => {
  test.each([
    ['with the same configuration', '/var/lib/understudy'],
    ['with another state directory', '/tmp/by-hand'],
  ])(
    '%s is refused with the pid of the first, 69, and nobody notices',
    async (title, stateDir) => {
      const observer = await observe();
      const rootDir = join(folder, title.replaceAll(' ', '-'));
      const service = startAgent(observer.port, rootDir);
      await until('heard', () => observer.now() === 'alive Heard');
      const byHand = startAgent(observer.port, rootDir, stateDir);
      expect(await byHand.ended).toBe(69);
      expect(byHand.said.errors).toContain(`process ${service.child.pid}`);
      expect(byHand.said.errors).not.toContain('    at ');
      expect(observer.thought.filter((one) => !one.startsWith('unknown'))).toEqual(['alive Heard']);
      service.child.kill('SIGKILL');
      await service.ended;
      const next = startAgent(observer.port, rootDir, stateDir);
      await until('the next one takes over', () => next.said.out.includes('"event":"agent.started"'));
    },
    90_000,
  );

  test('that shares nothing with the first (two containers), for six seconds: seen as two, never suspect, and then as before', async () => {
    const observer = await observe();
    const service = startAgent(observer.port, join(folder, 'container-a'));
    await until('heard', () => observer.now() === 'alive Heard');
    // A boot epoch is in seconds: the second one is to be the newer one.
    await clock.sleep(1_100);
    const byHand = startAgent(observer.port, join(folder, 'container-b'));
    await until('seen as two', () => observer.now() === 'alive TwoAgents');
    await clock.sleep(6_000);
    byHand.child.kill('SIGTERM');
    expect(await byHand.ended).toBe(0);
    // The end of a contest is told by the next heartbeat.
    await until('one again', () => observer.thought.at(-1) === 'alive Heard');
    expect(observer.thought.filter((one) => !one.startsWith('unknown'))).toEqual([
      'alive Heard',
      'alive TwoAgents',
      'alive Heard',
    ]);
    expect(service.said.out + byHand.said.out).toContain('"event":"agent.stale"');
    expect(service.child.exitCode).toBeNull();
  }, 120_000);
});
