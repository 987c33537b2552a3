import type { Clock } from '@understudy/shared';
import { Resolver } from 'node:dns/promises';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AgentConfig } from '../config.ts';
import { parseHostPort } from '../host-port.ts';
import type { NetworkObservation, NetworkProbes } from '../checks/network.ts';
import { tcpConnect } from './tcp-connect.ts';
import { arpComplete, parseDefaultRoute, parseNameservers } from '../checks/proc-parsers.ts';

type NetworkConfig = AgentConfig['checks']['network'];

/**
 * RFC 863. Nobody has to listen, because sending is what makes the kernel ask for the hardware
 * address.
 */
const DISCARD_PORT = 9;
const ARP_LOOK_EVERY_MS = 100;

export function networkProbes(
  config: NetworkConfig,
  clock: Clock,
  coordinators: NetworkProbes['coordinators'],
): NetworkProbes {
  return {
    coordinators,
    gateway: (signal) => gatewayState(config, clock, signal),
    dns: (signal) => dnsState(config, signal),
  };
}

async function gatewayState(
  { gateway, deadlineMs }: NetworkConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<NetworkObservation['gateway']> {
  if (gateway === 'none') return 'not-looked-at';
  const target = parseHostPort(gateway.replace(/^tcp:/, ''));
  // The host itself refused the connection, so the way there works.
  if (target) return (await tcpConnect(target, signal)) === 'silent' ? 'unreachable' : 'reachable';
  const route = parseDefaultRoute(readFileSync('/proc/net/route', 'utf8'));
  if (!route) return 'no-route';
  if (route.gateway === null) return 'reachable';
  return (await answersArp(route.gateway, clock, deadlineMs)) ? 'reachable' : 'unreachable';
}

/**
 * Sends one datagram to the gateway, then looks whether the kernel knows its hardware address,
 * until three quarters of the deadline.
 */
async function answersArp(gateway: string, clock: Clock, deadlineMs: number): Promise<boolean> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.send(Buffer.of(0), DISCARD_PORT, gateway, () => resolve()));
  socket.close();
  const untilMs = clock.monotonicMs() + deadlineMs * 0.75;
  for (;;) {
    if (arpComplete(readFileSync('/proc/net/arp', 'utf8'), gateway)) return true;
    if (clock.monotonicMs() >= untilMs) return false;
    await clock.sleep(ARP_LOOK_EVERY_MS);
  }
}

/** c-ares codes which mean that nobody answered. */
const SILENCE = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED', 'EDESTRUCTION', 'ENOMEM', 'EFILE']);
/**
 * Codes which mean that a server answered and cannot tell. Everything else, NXDOMAIN included, is
 * knowledge.
 */
const EXCUSES = new Set(['ESERVFAIL', 'EREFUSED', 'EFORMERR', 'ENOTIMP', 'EBADRESP']);

async function dnsState({ dns, deadlineMs }: NetworkConfig, signal: AbortSignal): Promise<NetworkObservation['dns']> {
  if (dns === 'none') return 'not-looked-at';
  const configured =
    dns.servers === 'auto' ? parseNameservers(await readFile('/etc/resolv.conf', 'utf8')) : dns.servers;
  if (configured.length === 0) return 'silent';
  const timeout = Math.max(50, Math.floor((deadlineMs * 0.75) / configured.length));
  const resolver = new Resolver({ timeout, tries: 1 });
  resolver.setServers([...configured]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await resolver.resolve4(dns.name);
    return 'answered';
  } catch (error) {
    return dnsFault((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function dnsFault(code: string): NetworkObservation['dns'] {
  if (SILENCE.has(code)) return 'silent';
  return EXCUSES.has(code) ? 'failing' : 'answered';
}
