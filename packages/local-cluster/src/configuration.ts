import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deriveAgentKey, type MemberId } from '@understudy/shared';
import { stringify } from 'yaml';
import { REGION } from './local-member.ts';

/** Loopback endpoints of everything, chosen before anything starts. */
export interface Endpoints {
  readonly cloud: { readonly host: string; readonly port: number };
  readonly coordinators: readonly {
    readonly id: string;
    readonly zone: string;
    readonly udpPort: number;
    readonly httpPort: number;
  }[];
  readonly etcdHosts: readonly string[];
}

const HOST = '127.0.0.1';

/**
 * Times are shorter than the defaults so that a person can watch: they are no advice.
 * Real defaults detect in 7-9.3 s with a 10 s lease (docs/coordinator.md).
 */
export const LOCAL_TIMES = {
  leaseTtlMs: 4_000,
  leaseMarginMs: 600,
  keepaliveMs: 500,
  storeCallTimeoutMs: 1_000,
  cloudCallTimeoutMs: 1_500,
  warmUpMs: 2_000,
  heartbeatMs: 400,
  suspectAfterMs: 2_000,
  confirmForMs: 1_200,
  settleMs: 1_000,
} as const;

/** Laid over our own sections of the coordinators' configuration, field by field. */
export interface CoordinatorSections {
  readonly loop?: Fields;
  readonly guard?: Fields;
  readonly policy?: Readonly<Partial<Record<'detect' | 'guard' | 'recover', Fields>>>;
  readonly events?: Fields;
  readonly notify?: Fields;
}
type Fields = Readonly<Record<string, unknown>>;

export interface ClusterSecrets {
  readonly master: Uint8Array;
  readonly masterFile: string;
  /** Shown by whoever commands: everybody may read. */
  readonly operatorToken: string;
  readonly operatorTokenFile: string;
}

export function writeSecrets(dir: string, master: Uint8Array, operatorToken: string): ClusterSecrets {
  const masterFile = join(dir, 'master.key');
  writeFileSync(masterFile, `${Buffer.from(master).toString('hex')}\n`, { mode: 0o600 });
  const operatorTokenFile = join(dir, 'operator.token');
  writeFileSync(operatorTokenFile, `${operatorToken}\n`, { mode: 0o600 });
  return { master, masterFile, operatorToken, operatorTokenFile };
}

export function writeYaml(dir: string, name: string, value: object): string {
  const path = join(dir, name);
  writeFileSync(path, stringify(value), { mode: 0o600 });
  return path;
}

export function cloudSimConfig(
  endpoints: Endpoints,
  options: {
    workDir: string;
    speed: number;
    seed: number;
    agentCommand: readonly string[];
    /** Further fields of docs/cloud-sim.md. */
    more: Readonly<Record<string, unknown>>;
  },
): object {
  return {
    region: REGION,
    http: endpoints.cloud,
    speed: options.speed,
    seed: options.seed,
    workDir: options.workDir,
    machine: { command: options.agentCommand },
    log: { level: 'info' },
    ...options.more,
  };
}

/** A policy of a local cluster's groups: these times, and what is laid over them. */
export const localPolicy = (laidOver: NonNullable<CoordinatorSections['policy']>): object => ({
  detect: { suspectAfterMs: LOCAL_TIMES.suspectAfterMs, confirmForMs: LOCAL_TIMES.confirmForMs, ...laidOver.detect },
  guard: { bootGraceMs: 3_000, ...laidOver.guard },
  recover: {
    settleMs: LOCAL_TIMES.settleMs,
    fenceTimeoutMs: 60_000,
    launchTimeoutMs: 30_000,
    verifyTimeoutMs: 30_000,
    ...laidOver.recover,
  },
});

export function coordinatorConfig(
  endpoints: Endpoints,
  index: number,
  secrets: ClusterSecrets,
  sections: CoordinatorSections,
): object {
  const self = endpoints.coordinators[index];
  if (!self) throw new RangeError(`no coordinator ${index}`);
  const t = LOCAL_TIMES;
  return {
    id: self.id,
    az: self.zone,
    udp: { host: HOST, port: self.udpPort },
    // Everything is on loopback, and for one person.
    http: {
      ...{ host: HOST, port: self.httpPort, anonymous: 'read', requestsPerMinute: 60_000 },
      operatorTokenFile: secrets.operatorTokenFile,
    },
    etcd: {
      hosts: endpoints.etcdHosts,
      leaseTtlMs: t.leaseTtlMs,
      leaseMarginMs: t.leaseMarginMs,
      keepaliveMs: t.keepaliveMs,
      callTimeoutMs: t.storeCallTimeoutMs,
    },
    aws: {
      region: REGION,
      endpoint: `http://${endpoints.cloud.host}:${endpoints.cloud.port}`,
      callTimeoutMs: t.cloudCallTimeoutMs,
      // cloud-sim knows what a question is.
      dryRuns: 'all',
    },
    keys: [{ id: 1, file: secrets.masterFile }],
    observer: { warmUpMs: t.warmUpMs },
    loop: { tickMs: 100, enrolEveryMs: 2_000, evidenceEveryMs: 1_000, collectEveryMs: 5_000, ...sections.loop },
    ...(sections.guard && { guard: sections.guard }),
    ...(sections.events && { events: sections.events }),
    ...(sections.notify && { notify: sections.notify }),
    policy: localPolicy(sections.policy ?? {}),
    log: { level: 'info' },
  };
}

/**
 * The workload: it writes into the member's data, so that one can see whose data the
 * replacement has.
 */
const LEDGER_LINE =
  'dir="$UNDERSTUDY_ROOT/mnt/sdf"; [ -d "$dir" ] || dir="$UNDERSTUDY_ROOT"; echo "serving as $UNDERSTUDY_INSTANCE_ID" >> "$dir/ledger.txt"';

/**
 * The agent's configuration; it travels as the instance's user data, so a replacement finds it too.
 */
export function agentUserData(
  endpoints: Endpoints,
  member: MemberId,
  secrets: ClusterSecrets,
  network: { dns: string; gateway: string },
  devices: readonly string[],
): string {
  const mounts = devices.map((device) => ({ path: `/mnt/${device.replace('/dev/', '')}` }));
  const seconds = (factor: number) => ({ intervalMs: 1_000 * factor, deadlineMs: 800 * factor });
  return stringify({
    member,
    key: { id: 1, hex: Buffer.from(deriveAgentKey(secrets.master, 1, member)).toString('hex') },
    coordinators: endpoints.coordinators.map((each) => `${HOST}:${each.udpPort}`),
    stateDir: '/var/lib/understudy',
    heartbeat: { intervalMs: LOCAL_TIMES.heartbeatMs, jitterRatio: 0.1 },
    checks: {
      network: {
        ...seconds(2),
        rise: 1,
        fall: 2,
        gateway: network.gateway,
        dns: { servers: [network.dns], name: 'example.internal' },
      },
      storage: {
        ...seconds(2),
        rise: 1,
        fall: 2,
        devices: [...devices],
        mounts,
        probeFiles: ['/', ...mounts.map((mount) => mount.path)],
      },
      metadata: { ...seconds(2), rise: 1, fall: 3 },
    },
    activation: {
      file: '/run/understudy/activation.json',
      onActivate: ['/bin/sh', '-c', LEDGER_LINE],
      timeoutMs: 5_000,
    },
    log: { level: 'info' },
  });
}
