import { SystemClock, until } from '@understudy/shared/node';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { openUdpSocket } from './adapters/udp-socket.ts';
import { KEY_HEX, TestCoordinator } from './agent.fixtures.ts';
import { exitOf, TestMetadataService } from './agent-process.fixtures.ts';

const clock = new SystemClock();
const LEASE_MS = 1_500;
/** Three times the watchdog's, 6 s before anything is told, the hook's time and 4 s to kill it. */
const STOP_WITHIN_MS = 14_000;
const WATCHDOG_MS = 1_000;
/** Slack of a busy machine: scheduling, and the shells of hook and workload. */
const SLACK_MS = 500;

let bundle = '';
let folder = '';
let imds: TestMetadataService;
const children: ChildProcess[] = [];

beforeAll(async () => {
  bundle = await bundleAgent();
  folder = mkdtempSync(join(tmpdir(), 'understudy lease '));
  imds = await TestMetadataService.open();
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  imds.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Stands in for the kernel's softdog: a pipe that has to be written to in time, or the machine
 * (here: the workload) is gone.
 */
class PipeWatchdog {
  readonly #descriptor: number;
  readonly #reset: () => void;
  #pettedAtMs: number | null = null;
  #stopped = false;
  pets = 0;
  resets = 0;
  disarmed = false;

  constructor(rootDir: string, reset: () => void) {
    mkdirSync(join(rootDir, 'dev'), { recursive: true });
    mkdirSync(join(rootDir, 'sys/class/watchdog/watchdog0'), { recursive: true });
    execFileSync('mkfifo', [join(rootDir, 'dev/watchdog')]);
    writeFileSync(join(rootDir, 'sys/class/watchdog/watchdog0/timeout'), `${WATCHDOG_MS / 1_000}\n`);
    this.#descriptor = openSync(join(rootDir, 'dev/watchdog'), constants.O_RDWR | constants.O_NONBLOCK);
    this.#reset = reset;
    void this.#watch();
  }

  async #watch(): Promise<void> {
    const bytes = Buffer.alloc(64);
    for (; !this.#stopped; await clock.sleep(10)) {
      const count = this.#read(bytes);
      if (count > 0) {
        this.pets += count;
        const last = String.fromCharCode(bytes[count - 1] ?? 0);
        this.disarmed = last === 'V';
        this.#pettedAtMs = this.disarmed ? null : clock.monotonicMs();
      } else if (this.#pettedAtMs !== null && clock.monotonicMs() - this.#pettedAtMs > WATCHDOG_MS) {
        this.#pettedAtMs = null;
        this.resets += 1;
        this.#reset();
      }
    }
  }

  #read(bytes: Buffer): number {
    try {
      return readSync(this.#descriptor, bytes);
    } catch {
      return 0;
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

/** An agent whose workload writes down, every 20 ms, that it serves. */
async function serving(name: string, stop = 'kill -9 $(cat $UNDERSTUDY_ROOT/workload)') {
  const rootDir = mkdtempSync(join(folder, `${name} `));
  const served = join(rootDir, 'served');
  const pidFile = join(rootDir, 'workload');
  const coordinator = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
  const killWorkload = () => {
    if (!existsSync(pidFile)) return;
    try {
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    } catch {
      // The process is gone already.
    }
  };
  const watchdog = new PipeWatchdog(rootDir, killWorkload);
  const work = 'while :; do cut -d" " -f1 /proc/uptime >> "$UNDERSTUDY_ROOT/served"; sleep 0.02; done';
  const on = `(exec sh -c '${work}') >/dev/null 2>&1 & echo $! > "$UNDERSTUDY_ROOT/workload"`;
  const off = `[ ! -f "$UNDERSTUDY_ROOT/workload" ] || { ${stop.replaceAll('$UNDERSTUDY_ROOT/workload', '"$UNDERSTUDY_ROOT/workload"')}; } 2>/dev/null; true`;
  const config = join(rootDir, 'agent.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      member: 'shop/db-1',
      key: { id: 1, hex: KEY_HEX },
      coordinators: [`127.0.0.1:${coordinator.socket.localPort}`],
      rootDir,
      heartbeat: { intervalMs: 100 },
      checks: { network: { gateway: 'none', dns: 'none' }, storage: { mounts: [], probeFiles: ['/'] } },
      activation: { onActivate: ['/bin/sh', '-c', on], onDeactivate: ['/bin/sh', '-c', off], timeoutMs: 1_000 },
      serve: { leaseMs: LEASE_MS, stopWithinMs: STOP_WITHIN_MS, watchdog: { timeoutMs: WATCHDOG_MS } },
    }),
  );
  const args = [...AGENT_NODE_FLAGS, bundle, '--config', config, '--imds', imds.endpoint];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await until(`the watchdog is armed: ${output}`, () => coordinator.last?.servePromise?.watchdog === true, 15_000, 20);
  coordinator.reply = { activation: 'active', holdsForMs: 60_000 };
  await until('the workload serves', () => existsSync(served), 15_000, 20);
  /** The last moment the workload served, in ms on the machine's clock since boot. */
  const lastServedMs = () => Number(readFileSync(served, 'utf8').trim().split('\n').at(-1)) * 1_000;
  const close = async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exitOf(child);
    watchdog.stop();
    killWorkload();
    await coordinator.socket.close();
  };
  return { child, coordinator, watchdog, lastServedMs, output: () => output, close };
}

const uptimeMs = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000;
const isQuiet = async (lastServedMs: () => number) => {
  const before = lastServedMs();
  await clock.sleep(500);
  return lastServedMs() === before;
};

describe('an agent process with a serve lease and a watchdog', () => {
  it('promises both, serves while it is vouched for, and disarms when it is stopped in order', async () => {
    const { child, coordinator, watchdog, lastServedMs, close } = await serving('in order');
    expect(coordinator.last?.servePromise).toEqual({ stopWithinSeconds: STOP_WITHIN_MS / 1_000, watchdog: true });
    const before = watchdog.pets;
    await clock.sleep(2_000);
    expect(watchdog.pets).toBeGreaterThan(before);
    expect(await isQuiet(lastServedMs)).toBe(false);
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(0);
    expect(await isQuiet(lastServedMs)).toBe(true);
    expect([watchdog.disarmed, watchdog.resets]).toEqual([true, 0]);
    await close();
  });

  it('cut off: its workload stops by the hook, within the lease and what it promised; no reset', async () => {
    const { coordinator, watchdog, lastServedMs, close } = await serving('cut off');
    const cutAtMs = uptimeMs();
    coordinator.reply = null;
    await until(
      'lease and promise are over',
      () => uptimeMs() - cutAtMs > LEASE_MS + STOP_WITHIN_MS + SLACK_MS,
      25_000,
      20,
    );
    expect(await isQuiet(lastServedMs)).toBe(true);
    expect(lastServedMs() - cutAtMs).toBeLessThan(LEASE_MS + STOP_WITHIN_MS);
    expect(lastServedMs() - cutAtMs).toBeGreaterThan(LEASE_MS / 2);
    expect(watchdog.resets).toBe(0);
    await close();
  });

  it('stopped itself (SIGSTOP) while its workload goes on: the watchdog ends it as soon', async () => {
    const { child, watchdog, lastServedMs, close } = await serving('stopped');
    const stoppedAtMs = uptimeMs();
    child.kill('SIGSTOP');
    await until('the watchdog has struck', () => watchdog.resets === 1, 25_000, 20);
    expect(await isQuiet(lastServedMs)).toBe(true);
    expect(lastServedMs() - stoppedAtMs).toBeLessThan(LEASE_MS + STOP_WITHIN_MS);
    await close();
  });

  it('a stop hook that hangs: the watchdog ends what it could not', async () => {
    const { coordinator, watchdog, lastServedMs, output, close } = await serving('hook hangs', 'sleep 60');
    const cutAtMs = uptimeMs();
    coordinator.reply = null;
    await until('the watchdog has struck', () => watchdog.resets === 1, 25_000, 20);
    expect(await isQuiet(lastServedMs)).toBe(true);
    expect(lastServedMs() - cutAtMs).toBeLessThan(LEASE_MS + STOP_WITHIN_MS + SLACK_MS);
    expect(output()).toContain('watchdog.starving');
    await close();
  });
});
