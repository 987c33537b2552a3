import { execFileSync } from 'node:child_process';

/**
 * Availability Zones of the lab, by letter. cloud-sim's default subnets lie in them in this order.
 */
export const ZONES = ['a', 'b', 'c'] as const;
export type Zone = (typeof ZONES)[number];
export const zoneIndex = (zone: Zone): number => ZONES.indexOf(zone);

/** Private ranges, used inside namespaces of a private network world only (RFC 1918). */
export const REGION = {
  /** Address of the lab itself: an operator's own way in, which no partition cuts off either. */
  operatorAddress: '10.255.0.252',
  /** The EC2 endpoint. */
  address: '10.255.0.254',
  /**
   * Address that answers for 169.254.169.254: the hypervisors, which no partition of the network
   * cuts off.
   */
  imdsAddress: '10.255.0.253',
} as const;
/** Subnet of a zone's instances, as in cloud-sim's default world. */
export const subnetOf = (zone: Zone): string => `172.31.${zoneIndex(zone) * 16}.0/20`;
const subnetRouter = (zone: Zone): string => `172.31.${zoneIndex(zone) * 16}.1`;
const hostNetwork = (zone: Zone): string => `10.255.${zoneIndex(zone) + 1}`;
/** Network of a zone's coordinator and etcd member. */
export const hostNetworkOf = (zone: Zone): string => `${hostNetwork(zone)}.0/24`;
export const routerOf = (zone: Zone): string => `zone-${zone}`;
export const etcdHost = { name: (zone: Zone) => `etcd-${zone}`, address: (zone: Zone) => `${hostNetwork(zone)}.10` };
export const coordinatorHost = {
  name: (zone: Zone) => `coordinator-${zone}`,
  address: (zone: Zone) => `${hostNetwork(zone)}.20`,
};

const COMMAND_LIMIT_MS = 10_000;

/**
 * Runs a program to its end.
 * @throws with its stderr
 */
export function runProgram(program: string, args: readonly string[], input = ''): string {
  return execFileSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: COMMAND_LIMIT_MS,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Words before a command that make it run in a namespace. */
export const insideOf = (namespace: string): readonly string[] => ['ip', 'netns', 'exec', namespace];

/** Runs a program inside a namespace. */
export function runInside(namespace: string, program: string, args: readonly string[], input = ''): string {
  return runProgram('ip', ['netns', 'exec', namespace, program, ...args], input);
}

const ip = (...lines: readonly string[]): void => {
  for (const line of lines) runProgram('ip', line.split(' '));
};

/**
 * Builds the region (this process's own namespace): a bridge that joins the zones, with the
 * addresses of EC2 and of the hypervisors.
 */
function buildBackbone(): void {
  ip(
    'link set lo up',
    'link add backbone type bridge',
    // Our own connections come from the first address.
    `addr add ${REGION.operatorAddress}/24 dev backbone`,
    `addr add ${REGION.address}/24 dev backbone`,
    `addr add ${REGION.imdsAddress}/24 dev backbone`,
    'link set backbone up',
  );
}

/**
 * Builds a zone: a router between its own bridge and the backbone. Every other zone is reached over
 * the backbone only.
 */
function buildZone(zone: Zone): void {
  const router = routerOf(zone);
  const uplink = `10.255.0.${zoneIndex(zone) + 1}`;
  ip(
    `netns add ${router}`,
    `link add up-${zone} type veth peer name backbone netns ${router}`,
    `link set up-${zone} master backbone up`,
    `-n ${router} link set lo up`,
    `-n ${router} addr add ${uplink}/24 dev backbone`,
    `-n ${router} link set backbone up`,
    `-n ${router} link add hosts type bridge`,
    `-n ${router} addr add ${subnetRouter(zone)}/20 dev hosts`,
    `-n ${router} addr add ${hostNetwork(zone)}.1/24 dev hosts`,
    `-n ${router} link set hosts up`,
    `route add ${subnetOf(zone)} via ${uplink}`,
    `route add ${hostNetworkOf(zone)} via ${uplink}`,
  );
  runInside(router, 'sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
}

function joinZones(zone: Zone): void {
  for (const other of ZONES.filter((each) => each !== zone)) {
    const via = `10.255.0.${zoneIndex(other) + 1}`;
    ip(
      `-n ${routerOf(zone)} route add ${subnetOf(other)} via ${via}`,
      `-n ${routerOf(zone)} route add ${hostNetworkOf(other)} via ${via}`,
    );
  }
}

/**
 * Builds a host in a zone: a namespace, a veth to the zone's bridge, one address, and the zone's
 * router as its only way out.
 */
function buildHost(zone: Zone, name: string, address: string): void {
  ip(
    `netns add ${name}`,
    `-n ${routerOf(zone)} link add ${name} type veth peer name eth0 netns ${name}`,
    `-n ${routerOf(zone)} link set ${name} master hosts up`,
    `-n ${name} link set lo up`,
    `-n ${name} addr add ${address}/24 dev eth0`,
    `-n ${name} link set eth0 up`,
    `-n ${name} route add default via ${hostNetwork(zone)}.1`,
  );
}

/**
 * Builds everything but the instances, whose namespaces are built when they boot
 * (`boot-machine.sh`).
 */
export function buildNetwork(): void {
  buildBackbone();
  for (const zone of ZONES) buildZone(zone);
  for (const zone of ZONES) {
    joinZones(zone);
    buildHost(zone, etcdHost.name(zone), etcdHost.address(zone));
    buildHost(zone, coordinatorHost.name(zone), coordinatorHost.address(zone));
  }
}
