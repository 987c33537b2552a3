import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Clock, Log, Random } from '@understudy/shared';
import { CloudSim } from './cloud-sim.ts';
import type { CloudSimConfig } from './config.ts';
import type { LatencyOverrides } from './core/latency.ts';
import { DnsResponder } from './http/dns-responder.ts';
import { ImdsEndpoints } from './http/imds-endpoints.ts';
import { buildServer } from './http/server.ts';
import { machineDriver } from './machines/drivers.ts';
import { VolumeFolders } from './machines/volume-folders.ts';
import { ScriptRun } from './script/script-run.ts';
import { InstanceProcesses } from './machines/instance-processes.ts';

export interface CloudSimServerParts {
  readonly clock: Clock;
  /** Draws metadata tokens. The Region itself draws from its seed. */
  readonly random: Random;
  readonly log: Log;
  /** Environment handed to the machines. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface RunningCloudSim {
  readonly sim: CloudSim;
  /** What goes wrong by a script. */
  readonly script: ScriptRun;
  readonly url: string;
  readonly port: number;
  readonly dnsPort: number;
  imdsPorts(): Readonly<Record<string, number>>;
  machines(): Readonly<Record<string, { readonly pid: number | null; readonly rootDir: string }>>;
  /** Synchronous last resort when the process itself must end. */
  killMachines(): void;
  /** Kills the machines, then closes every socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * A whole simulated Region as a server: EC2 endpoint, admin API, metadata services, name server,
 * machines.
 */
export async function startCloudSim(config: CloudSimConfig, parts: CloudSimServerParts): Promise<RunningCloudSim> {
  const workDir = resolve(config.workDir);
  mkdirSync(workDir, { recursive: true });
  const { region, seed, speed, kept } = config;
  const latency = config.latency as LatencyOverrides;
  const sim = new CloudSim({ clock: parts.clock, log: parts.log, region, seed, speed, latency, kept });
  const imds = new ImdsEndpoints(sim, parts.random, config.imds.host);
  const driver = machineDriver(config.machine, parts);
  const disks = new VolumeFolders(workDir, driver, parts.log);
  const processes = new InstanceProcesses({ sim, disks, imds, workDir, driver, log: parts.log });
  sim.onEvent((event) => disks.onEvent(event));
  sim.onEvent((event) => processes.onEvent(event));
  const dns = new DnsResponder();
  const dnsPort = await dns.listen();
  const script = new ScriptRun(sim, parts.log, { imds, dns });
  const admin = { sim, imds, dns, dnsPort, script, machines: () => processes.machines() };
  const app = buildServer(admin, { region, ...config.credentials });
  const url = await app.listen({ host: config.http.host, port: config.http.port });
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    script.stop();
    sim.close();
    await processes.close();
    await Promise.all([imds.close(), dns.close(), app.close()]);
  };
  return {
    sim,
    script,
    url,
    port: Number(new URL(url).port),
    dnsPort,
    imdsPorts: () => imds.ports(),
    machines: () => processes.machines(),
    killMachines: () => processes.killAll(),
    close: () => (closing ??= close()),
  };
}
