import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { until } from '@understudy/shared/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TIMING } from './coordinator-under-test.ts';
import { EtcdCluster } from '@understudy/local-cluster';

interface Line {
  readonly event: string;
  readonly id: string;
  /** CLOCK_MONOTONIC: the same for all processes of this machine. */
  readonly atUs: number;
  readonly term?: number;
  readonly gapMs?: number;
  readonly outcome?: string;
}

const SCRIPT = join(import.meta.dirname, 'leader-process.ts');
const report = (line: string) => console.log(`  measured: ${line}`);

describe('leading processes on real etcd', () => {
  let cluster: EtcdCluster;
  let admin: Etcd3;
  let lines: Line[] = [];
  let children: ChildProcess[] = [];
  let caseCount = 0;

  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    admin = new Etcd3({ hosts: [...cluster.hosts] });
  });

  afterAll(async () => {
    admin.close();
    await cluster.stop();
  });

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    lines = [];
  });

  const said = (id: string, event: string) => lines.filter((line) => line.id === id && line.event === event);

  async function start(id: string): Promise<ChildProcess> {
    const root = `/process-${caseCount}/`;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--import', 'tsx', SCRIPT, id, root, JSON.stringify(TIMING), ...cluster.hosts],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.push(child);
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
    await until(`${id} started`, () => said(id, 'started').length > 0, 20_000, 5);
    return child;
  }

  async function leaderAndCandidate() {
    caseCount += 1;
    const a = await start('a');
    await until('a leads', () => said('a', 'leads').length > 0, 10_000, 5);
    const b = await start('b');
    await wait(1000);
    return { a, b };
  }

  it('SIGSTOP of the leader for 2 × TTL, then SIGCONT: nothing guarded gets through, and it steps down', async () => {
    const { a } = await leaderAndCandidate();
    const key = `/process-${caseCount}/beat/a`;
    const stoppedAtUs = Number(process.hrtime.bigint() / 1000n);
    a.kill('SIGSTOP');
    await until('b leads', () => said('b', 'leads').length > 0, TIMING.ttlMs + 1500, 5);
    const tookMs = ((said('b', 'leads')[0]?.atUs ?? 0) - stoppedAtUs) / 1000;
    const before = (await admin.kv.range({ key: Buffer.from(key) })).kvs[0]?.mod_revision;
    await wait(2 * TIMING.ttlMs - tookMs);
    const continuedAtUs = Number(process.hrtime.bigint() / 1000n);
    a.kill('SIGCONT');
    await until('a tried to write', () => said('a', 'after-pause').length > 0, 5000, 5);
    await until('a stepped down', () => said('a', 'ends').length > 0, 5000, 5);
    await wait(500);
    const after = (await admin.kv.range({ key: Buffer.from(key) })).kvs[0]?.mod_revision;
    const pause = said('a', 'after-pause')[0];
    report(
      `leader stopped for ${pause?.gapMs?.toFixed(0)} ms: successor after ${tookMs.toFixed(0)} ms; back, its write: ${pause?.outcome}; stepped down ${(((said('a', 'ends')[0]?.atUs ?? 0) - continuedAtUs) / 1000).toFixed(1)} ms after SIGCONT`,
    );
    expect(tookMs).toBeLessThanOrEqual(TIMING.ttlMs + 1000);
    expect(pause?.gapMs).toBeGreaterThan(2 * TIMING.ttlMs - 500);
    expect(pause?.outcome).toBe('LEASE_LOST');
    expect(after).toBe(before);
    expect(said('a', 'leads')).toHaveLength(1);
  });

  it('SIGKILL of the leader: the successor leads within TTL + 1 s, twice over', async () => {
    const tookMs: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      lines = [];
      const { a, b } = await leaderAndCandidate();
      await wait(round * 100);
      const killedAtUs = Number(process.hrtime.bigint() / 1000n);
      a.kill('SIGKILL');
      await until('b leads', () => said('b', 'leads').length > 0, TIMING.ttlMs + 1500, 5);
      tookMs.push(((said('b', 'leads')[0]?.atUs ?? 0) - killedAtUs) / 1000);
      b.kill('SIGKILL');
    }
    report(
      `SIGKILL of the leader: successor after ${tookMs.map((each) => each.toFixed(0)).join(', ')} ms (TTL ${TIMING.ttlMs})`,
    );
    expect(Math.max(...tookMs)).toBeLessThanOrEqual(TIMING.ttlMs + 1000);
  });

  it('SIGTERM: hands over in at most 200 ms and the process ends by itself', async () => {
    const { a } = await leaderAndCandidate();
    const exited = new Promise<number | null>((resolve) => a.once('exit', resolve));
    const askedAtUs = Number(process.hrtime.bigint() / 1000n);
    a.kill('SIGTERM');
    await until('b leads', () => said('b', 'leads').length > 0, 3000, 5);
    const tookMs = ((said('b', 'leads')[0]?.atUs ?? 0) - askedAtUs) / 1000;
    expect(await exited).toBe(0);
    const exitMs = Number(process.hrtime.bigint() / 1000n) / 1000 - askedAtUs / 1000;
    report(`SIGTERM: successor after ${tookMs.toFixed(0)} ms, process gone after ${exitMs.toFixed(0)} ms`);
    expect(tookMs).toBeLessThanOrEqual(200);
    expect(said('a', 'ends')[0]?.atUs).toBeLessThan(said('b', 'leads')[0]?.atUs ?? 0);
  });

  it('SIGTERM while etcd is stopped: the process still ends by itself, within a few call timeouts', async () => {
    const { a } = await leaderAndCandidate();
    cluster.signal(0, 'SIGSTOP');
    const exited = new Promise<number | null>((resolve) => a.once('exit', resolve));
    const startedAtMs = performance.now();
    a.kill('SIGTERM');
    const code = await Promise.race([exited, wait(8000, 'still there')]);
    const tookMs = performance.now() - startedAtMs;
    cluster.signal(0, 'SIGCONT');
    report(`SIGTERM while etcd is stopped: process gone after ${tookMs.toFixed(0)} ms`);
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(4 * TIMING.callTimeoutMs + 1500);
  });
});
