import { writeFileSync } from 'node:fs';
import { runProgram } from '../../faults/lab/network.ts';

/**
 * The region: this process's own network namespace. One bridge joins all machines, and this address
 * on it is the router, EC2 and the metadata services. Private ranges, used inside a network world
 * of our own only (RFC 1918).
 */
export const REGION = { bridge: 'hosts', address: '172.31.255.254', prefixLength: 16 } as const;

const ip = (...lines: readonly string[]): void => {
  for (const line of lines) runProgram('ip', line.split(' '));
};

/** Elastic IPs are a map of nft here: what we ourselves send to one goes to its machine. */
const ELASTIC = `
table ip region {
  map elastic { type ipv4_addr : ipv4_addr; }
  chain output {
    type nat hook output priority -100;
    dnat to ip daddr map @elastic
  }
}`;

export function buildRegion(): void {
  ip(
    'link set lo up',
    `link add ${REGION.bridge} type bridge`,
    `addr add ${REGION.address}/${REGION.prefixLength} dev ${REGION.bridge}`,
    `link set ${REGION.bridge} up`,
    // cloud-sim's Elastic IPs. One that is nobody's leads to nothing.
    `route add 203.0.113.0/24 dev ${REGION.bridge}`,
  );
  runProgram('nft', ['-f', '-'], ELASTIC);
}

/**
 * Has the region's address answer names, by the name server that listens on that port of loopback.
 */
export function setNameServer(port: number): void {
  // Otherwise the kernel takes what comes from a network for loopback as forged.
  writeFileSync(`/proc/sys/net/ipv4/conf/${REGION.bridge}/route_localnet`, '1');
  const rules = `
table ip region {
  chain names {
    type nat hook prerouting priority -100;
    ip daddr ${REGION.address} udp dport 53 dnat to 127.0.0.1:${port}
  }
}`;
  runProgram('nft', ['-f', '-'], `${rules}\n`);
}

/** Replaces all of them: public address → private address. */
export function setElasticIps(pairs: ReadonlyMap<string, string>): void {
  const elements = [...pairs].map(([from, to]) => `${from} : ${to}`).join(', ');
  const add = elements === '' ? '' : `add element ip region elastic { ${elements} }\n`;
  runProgram('nft', ['-f', '-'], `flush map ip region elastic\n${add}`);
}
