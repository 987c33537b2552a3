import { deriveAgentKey, type MemberId } from '@understudy/shared';
import { stringify } from 'yaml';
import { ACCEPTED_KEY, MASTER } from '../../integration/coordinator/coordinator-cluster.ts';
import { coordinatorHost, etcdHost, REGION, type Zone, ZONES } from './network.ts';

/**
 * The lease of the lab's coordinators. It is the shortest that is allowed, so that ten of them can
 * be waited for.
 */
export const TTL_MS = 2_000;
export const PORTS = {
  cloud: 4566,
  cloudProxy: 4567,
  heartbeat: 7946,
  api: 8080,
  etcdClient: 2379,
  etcdPeer: 2380,
} as const;
/** Silence after which the lab's observers say `dead`: first suspect, then confirmed. */
export const DEAD_AFTER_MS = 2_000 + 800;
export const HEARTBEAT_MS = 400;

/**
 * Two members in each zone. Each is one instance with a root and a data volume, and one Elastic IP.
 */
export const MEMBERS: readonly { readonly member: MemberId; readonly zone: Zone }[] = [
  { member: 'lab/orders', zone: 'a' },
  { member: 'lab/clocked', zone: 'a' },
  { member: 'lab/ledger', zone: 'b' },
  { member: 'lab/broker', zone: 'b' },
  { member: 'lab/build', zone: 'c' },
  { member: 'lab/licence', zone: 'c' },
];

/**
 * The member that keeps a serve lease. Its workload stops by itself in scenarios that leave no
 * coordinator with a fresh view, as it should.
 */
export const LEASED: MemberId = 'lab/licence';
const LEASED_HOOK_MS = 2_000;
/** The hook's time, 4 s to kill it, and 6 s before anything is told. */
const STOP_WITHIN_MS = LEASED_HOOK_MS + 10_000;

/** The policy of the lab's group, short in its times. */
export const LAB_POLICY = {
  detect: { suspectAfterMs: 2_000, confirmForMs: DEAD_AFTER_MS - 2_000 },
  guard: { bootGraceMs: 0, cooldownMs: 0, flapLimit: 100, flapWindowMs: 60_000, concurrency: 10 },
  recover: {
    settleMs: 500,
    verifyTimeoutMs: 30_000,
    maxLaunchAttempts: 5,
    // Replaced instances go soon, so that a long run does not pile up machines.
    retainForMs: 0,
    retainCaptureForMs: 0,
    // There is no watchdog in a network namespace; `agent/src/serve-lease.integration.test.ts`
    // tests it.
    serveLease: { stopWithinMs: STOP_WITHIN_MS, requireWatchdog: false, fenceAfterMs: 0 },
  },
};

/**
 * The coordinators' configuration. Times are short, so that a scenario takes seconds. The mass
 * guard is the real one: two dead of six are no mass, three are.
 */
export function coordinatorConfig(
  zone: Zone,
  secrets: { readonly masterFile: string; readonly tokenFile: string },
): object {
  const host = coordinatorHost.address(zone);
  return {
    id: coordinatorHost.name(zone),
    az: `us-east-1${zone}`,
    udp: { host, port: PORTS.heartbeat },
    http: { host, port: PORTS.api, operatorTokenFile: secrets.tokenFile, anonymous: 'read', requestsPerMinute: 60_000 },
    etcd: {
      hosts: ZONES.map((each) => `http://${etcdHost.address(each)}:${PORTS.etcdClient}`),
      leaseTtlMs: TTL_MS,
      leaseMarginMs: 300,
      keepaliveMs: 400,
      callTimeoutMs: 600,
    },
    aws: { region: 'us-east-1', endpoint: `http://${REGION.address}:${PORTS.cloudProxy}`, callTimeoutMs: 1_000 },
    keys: [{ id: 1, file: secrets.masterFile }],
    observer: { warmUpMs: 2_000, heartbeatMs: HEARTBEAT_MS },
    loop: {
      ...{ tickMs: 100, enrolEveryMs: 1_000, evidenceEveryMs: 1_000, collectEveryMs: 5_000 },
      // Longer than it takes to start one again: while that one is away, all others may be of the
      // next build.
      raiseLevelAfterMs: 20_000,
    },
    guard: { massWindowMs: 2_000, budgetPerMinute: 1_000, budgetBurst: 100 },
    policy: LAB_POLICY,
    log: { level: 'info' },
  };
}

/**
 * cloud-sim's configuration. Reads are slow: one lies between the end of verification and the
 * activation, long enough to strike in.
 */
export function cloudSimConfig(workDir: string, machineCommand: readonly string[]): object {
  return {
    http: { host: REGION.address, port: PORTS.cloud },
    imds: { host: REGION.imdsAddress },
    speed: 25,
    workDir,
    machine: { command: machineCommand },
    credentials: { accessKeyIds: [ACCEPTED_KEY] },
    latency: { 'api.DescribeInstances.request': [400, 600], 'api.DescribeInstances.response': [400, 600] },
  };
}

/**
 * The workload: one line when it begins to serve and one when it ends, with the machine's uptime
 * (seconds, read from a file, so that no stepped clock can falsify it).
 */
const note = (word: string, ledgerDir: string, member: MemberId): readonly string[] => [
  '/bin/sh',
  '-c',
  `read -r up rest </proc/uptime; echo "${word} $UNDERSTUDY_INSTANCE_ID $up" >> ${ledgerDir}/${member.replace('/', '-')}`,
];

/**
 * The agent's configuration. It travels as the instance's user data, so a replacement finds it too.
 */
export function agentUserData(member: MemberId, ledgerDir: string): string {
  const often = { intervalMs: 1_000, deadlineMs: 800 };
  return stringify({
    member,
    key: { id: 1, hex: Buffer.from(deriveAgentKey(MASTER, 1, member)).toString('hex') },
    coordinators: ZONES.map((zone) => `${coordinatorHost.address(zone)}:${PORTS.heartbeat}`),
    stateDir: '/var/lib/understudy',
    heartbeat: { intervalMs: HEARTBEAT_MS, jitterRatio: 0.1 },
    checks: {
      network: { intervalMs: 2_000, deadlineMs: 1_500, rise: 1, fall: 2, gateway: 'auto', dns: 'none' },
      // A full root disk shows as too little room, because the write probe reuses the block its
      // last file gave back.
      storage: {
        ...often,
        rise: 1,
        fall: 2,
        devices: ['/dev/sdf'],
        mounts: [{ path: '/', minFreeBytes: 65_536 }, { path: '/mnt/sdf' }],
        probeFiles: ['/'],
      },
      metadata: { ...often, rise: 1, fall: 3 },
    },
    activation: {
      file: '/run/understudy/activation.json',
      onActivate: note('on', ledgerDir, member),
      onDeactivate: note('off', ledgerDir, member),
      timeoutMs: member === LEASED ? LEASED_HOOK_MS : 5_000,
    },
    ...(member === LEASED ? { serve: { leaseMs: 10 * HEARTBEAT_MS, stopWithinMs: STOP_WITHIN_MS } } : {}),
    log: { level: 'info' },
  });
}
