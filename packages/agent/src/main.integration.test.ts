import { type Heartbeat, hmacOf, instanceHashOf, parseKey } from '@understudy/shared';
import { SystemClock, until } from '@understudy/shared/node';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { openUdpSocket } from './adapters/udp-socket.ts';
import { INSTANCE_ID, KEY_HEX, TestCoordinator } from './agent.fixtures.ts';
import { exitOf, nodes, TestMetadataService } from './agent-process.fixtures.ts';

const clock = new SystemClock();

const NEXT_KEY = { id: 2, hex: '0c'.repeat(32) };
const SETTLED_AFTER_MS = 12_000;

const rssKiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);

/** Time all threads of the process have run, without its children. */
const cpuMs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);

let bundle = '';
let folder = '';
let imds: TestMetadataService;
const children: ChildProcess[] = [];

beforeAll(async () => {
  bundle = await bundleAgent();
  folder = mkdtempSync(join(tmpdir(), 'understudy-agent-process-'));
  imds = await TestMetadataService.open();
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  imds.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(node: string, args: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore') {
  const child = spawn(node, args, { stdio: [stdin, 'pipe', 'pipe'] });
  children.push(child);
  const output = { text: '', errors: '' };
  child.stdout?.on('data', (bytes: Buffer) => {
    output.text += bytes.toString();
  });
  child.stderr?.on('data', (bytes: Buffer) => {
    output.errors += bytes.toString();
  });
  return { child, output };
}

async function startAgent(
  node: string,
  name: string,
  extra: readonly string[] = [],
  stdin: 'ignore' | 'pipe' = 'ignore',
) {
  const rootDir = join(folder, name);
  mkdirSync(join(rootDir, 'data'), { recursive: true });
  const coordinators = await Promise.all(
    ['c1', 'c2', 'c3'].map(
      async (id) => new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), id),
    ),
  );
  for (const coordinator of coordinators) coordinator.ackAll = false;
  const hookLog = join(rootDir, 'hooks');
  const hook = JSON.stringify(['/bin/sh', '-c', `echo "$UNDERSTUDY_STATE $UNDERSTUDY_INSTANCE_ID" >> ${hookLog}`]);
  const config = join(rootDir, 'agent.yaml');
  writeFileSync(
    config,
    [
      'member: shop/db-1',
      // The key files are read only when asked.
      `key: { id: 1, hex: ${KEY_HEX}, reloadEveryMs: 3600000 }`,
      `coordinators: [${coordinators.map(({ socket }) => `127.0.0.1:${socket.localPort}`).join(', ')}]`,
      `rootDir: ${rootDir}`,
      'checks:',
      '  network: { gateway: none, dns: none }',
      '  storage: { mounts: [{ path: /data }], probeFiles: [/data] }',
      `activation: { onActivate: ${hook}, onDeactivate: ${hook} }`,
    ].join('\n'),
  );
  const { child, output } = start(
    node,
    [...AGENT_NODE_FLAGS, bundle, '--config', config, '--imds', imds.endpoint, ...extra],
    stdin,
  );
  const close = () => Promise.all(coordinators.map(({ socket }) => socket.close()));
  const hooks = () => (existsSync(hookLog) ? readFileSync(hookLog, 'utf8').trim().split('\n') : []);
  const stateDir = join(rootDir, 'var/lib/understudy');
  const activationFile = join(rootDir, 'run/understudy/activation.json');
  return { child, output, coordinators, hooks, close, activationFile, stateDir };
}

describe.each(nodes())('the bundled agent as a process on Node %s', (major, node) => {
  it('beats with valid tags, is activated, runs its hooks, and leaves with a goodbye', async () => {
    const { child, output, coordinators, hooks, activationFile, stateDir, close } = await startAgent(
      node,
      `life-${major}`,
    );
    await until(
      'two heartbeats at each coordinator',
      () => coordinators.every(({ heard }) => heard.length >= 2),
      15_000,
      20,
    );
    const first = coordinators[0]?.heard[0] as Heartbeat;
    expect(first.instanceHash).toBe(instanceHashOf(INSTANCE_ID));
    expect(coordinators.flatMap(({ rejected }) => rejected)).toEqual([]);
    expect(JSON.parse(readFileSync(activationFile, 'utf8'))).toMatchObject({ state: 'standby' });
    for (const coordinator of coordinators) coordinator.reply = { activation: 'active', incarnation: 3 };
    await until('onActivate has run', () => hooks().length === 2, 15_000, 20);
    expect(hooks()).toEqual([expect.stringMatching(/^standby/), `active ${INSTANCE_ID}`]);
    expect(JSON.parse(readFileSync(activationFile, 'utf8'))).toMatchObject({
      state: 'active',
      incarnation: 3,
      instanceId: INSTANCE_ID,
      member: 'shop/db-1',
    });
    await until('serving is reported', () => coordinators[0]?.last?.flags.serving === true, 15_000, 20);
    await until(
      'all checks pass',
      () => coordinators[0]?.last?.checks.slice(0, 4).every(({ status }) => status === 'pass') === true,
      15_000,
      20,
    );
    for (const { macs } of coordinators) macs.set(NEXT_KEY.id, hmacOf(parseKey(NEXT_KEY.hex, 'test')));
    writeFileSync(join(stateDir, 'next.key'), `${NEXT_KEY.id} ${NEXT_KEY.hex}\n`, { mode: 0o600 });
    child.kill('SIGHUP');
    await until(
      'the next key, by SIGHUP',
      () => coordinators.every(({ last }) => last?.keyId === NEXT_KEY.id),
      15_000,
      20,
    );
    await until('the next key is the one key', () => output.text.includes('"event":"key.adopted"'), 15_000, 20);
    expect(JSON.parse(readFileSync(join(stateDir, 'keys.json'), 'utf8'))).toMatchObject({ current: NEXT_KEY });
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(0);
    expect(output.text).not.toContain(NEXT_KEY.hex);
    expect(hooks().length).toBe(3);
    expect(hooks().at(-1)).toBe(`standby ${INSTANCE_ID}`);
    expect(existsSync(activationFile)).toBe(false);
    for (const { last } of coordinators) expect(last?.flags).toMatchObject({ goodbye: true, serving: false });
    expect(output.text).not.toContain(KEY_HEX);
    expect(output.text).toContain('"event":"agent.config"');
    await close();
  });

  it('stops when its parent closes stdin and it was asked to', async () => {
    const { child, coordinators, close } = await startAgent(node, `parent-${major}`, ['--exit-with-parent'], 'pipe');
    await until('a heartbeat', () => coordinators.every(({ heard }) => heard.length >= 1), 15_000, 20);
    child.stdin?.end();
    expect(await exitOf(child)).toBe(0);
    await close();
  });

  it('a wrong config is one message and exit code 78', async () => {
    const config = join(folder, `bad-${major}.yaml`);
    writeFileSync(config, `member: shop/db-1\nkey: { id: 1, hex: ${KEY_HEX} }\ncoordinators: [c:1]\ncolour: red\n`);
    const { child, output } = start(node, [...AGENT_NODE_FLAGS, bundle, '--config', config]);
    expect(await exitOf(child)).toBe(78);
    await until('the message names the key', () => output.errors.includes('colour'), 15_000, 20);
    expect(output.errors).not.toContain(' at ');
    expect(output.text).toBe('');
  });

  it('takes less than 1.3 × the memory of an empty Node process, and little CPU', async () => {
    const { child, coordinators, close } = await startAgent(node, `cost-${major}`);
    const empty = start(node, ['-e', 'setInterval(() => undefined, 1e8)']).child;
    for (const coordinator of coordinators) coordinator.reply = { activation: 'active' };
    await until('three heartbeats', () => coordinators.every(({ heard }) => heard.length >= 3), 15_000, 20);
    const pid = child.pid ?? 0;
    // The collections that follow the start are over then. They are not part of the lasting cost.
    await clock.sleep(SETTLED_AFTER_MS);
    const fromMs = clock.monotonicMs();
    const cpuFromMs = cpuMs(pid);
    await clock.sleep(20_000);
    const share = (cpuMs(pid) - cpuFromMs) / (clock.monotonicMs() - fromMs);
    const ratio = rssKiB(pid) / rssKiB(empty.pid ?? 0);
    console.log(
      `Node ${major}: agent RSS ${rssKiB(pid)} KiB, empty ${rssKiB(empty.pid ?? 0)} KiB, ratio ${ratio.toFixed(3)} (budget 1.25); CPU ${(share * 100).toFixed(2)} % of a core (budget 0.3)`,
    );
    // The budget of the design is 1.25; this bound catches regressions. Measured 1.14-1.16 on Node
    // 20, 1.23-1.25 on Node 24 (docs/agent.md, Memory).
    expect(ratio).toBeLessThan(1.3);
    // Three times the budget, because a busy machine makes every instruction dearer. The printed
    // figure is the one to look at.
    expect(share).toBeLessThanOrEqual(0.009);
    child.kill('SIGTERM');
    empty.kill('SIGKILL');
    expect(await exitOf(child)).toBe(0);
    await close();
  });
});
