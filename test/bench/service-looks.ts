import { type ChildProcess, spawn } from 'node:child_process';
import { ServiceProber, serviceProbes } from '@understudy/observer';
import { type ServiceProbe, ServiceProbeSchema } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import type { BenchRow } from './bench.ts';
import { benchTable, hear } from './bench-table.ts';
import { benchMember, HeartbeatSource } from './heartbeat-source.ts';

const MEMBERS = 1_000;
const INTERVAL_MS = 5_000;
const TICK_MS = 250;
/** One interval to get going, and two to measure. */
const RUNS_MS = 3 * INTERVAL_MS;
const HOST = '127.0.0.1';

const clock = new SystemClock();
const log = new RecordingLog();

/** A service in a process of its own, so that its work is not taken for ours. */
async function service(): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const code = `const server = require('node:http').createServer((_, response) => response.end('ok'));
    server.listen(0, '${HOST}', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => child.stdout?.once('data', (text) => resolve(Number(text))));
  return { port, child };
}

/**
 * Share of one core that 1 000 members with one probe each cost one coordinator, heartbeats aside,
 * and how many of the looks came in time.
 */
async function share(probe: ServiceProbe): Promise<{ readonly ofACore: number; readonly inTime: number }> {
  const table = benchTable(MEMBERS, clock.monotonicMs(), { tickMs: TICK_MS }, [probe]);
  const prober = new ServiceProber({ table, clock, log, probe: serviceProbes({ clock, log }) });
  const sources = Array.from({ length: MEMBERS }, (_, i) => new HeartbeatSource(i));
  for (const source of sources) hear(table, source, HOST, clock.monotonicMs());
  const beganAtMs = clock.monotonicMs();
  let cpuMs = 0;
  let looksBefore = 0;
  const looks = () => [...prober.counts.values()].reduce((sum, count) => sum + count, 0);
  for (let tick = 0; clock.monotonicMs() - beganAtMs < RUNS_MS; tick++) {
    if (tick === INTERVAL_MS / TICK_MS) {
      const { user, system } = process.cpuUsage();
      cpuMs = -(user + system) / 1_000;
      looksBefore = looks();
    }
    // Each member is heard once a second, so that none becomes suspect. Four ticks share the work.
    // It is part of what is measured, and little of it.
    for (let i = tick % 4; i < MEMBERS; i += 4)
      table.receive((sources[i] as HeartbeatSource).next(), { address: HOST, port: 9 }, clock.monotonicMs());
    table.tick(clock.monotonicMs());
    prober.tick(clock.monotonicMs());
    await clock.sleep(Math.max(0, beganAtMs + (tick + 1) * TICK_MS - clock.monotonicMs()));
  }
  const { user, system } = process.cpuUsage();
  cpuMs += (user + system) / 1_000;
  const wanted = (MEMBERS * (RUNS_MS - INTERVAL_MS)) / INTERVAL_MS;
  const state = table.opinion(benchMember(0))?.service?.state;
  prober.stop();
  if (state !== 'passing')
    throw new Error(`want passing, got ${state ?? 'no opinion'}: ${[...prober.counts].join(' ')}`);
  return { ofACore: cpuMs / (RUNS_MS - INTERVAL_MS), inTime: (looks() - looksBefore) / wanted };
}

export async function serviceLooks(): Promise<readonly BenchRow[]> {
  const { port, child } = await service();
  try {
    const rows: BenchRow[] = [];
    for (const kind of ['tcp', 'http'] as const) {
      const probe = ServiceProbeSchema.parse({ kind, port, intervalMs: INTERVAL_MS });
      const { ofACore, inTime } = await share(probe);
      const what = `1 000 members, one ${kind} probe each every 5 s`;
      const common = { budget: null, unit: 'ratio', ok: null };
      rows.push({ what: `${what}: of one core`, measured: ofACore, ...common });
      rows.push({ what: `${what}: looks made ÷ wanted`, measured: inTime, ...common });
    }
    return rows;
  } finally {
    child.kill('SIGKILL');
  }
}
