import { connect as connectTcp, isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock, Endpoint, ProbeReport, ServiceProbe } from '@understudy/shared';
import { type LookLimits, oneLook } from './one-look.ts';
import { answered, answerFault } from './socket-faults.ts';

export type TlsProbe = Extract<ServiceProbe, { kind: 'tls' }>;
const DAY_MS = 86_400_000;

export interface TlsTarget {
  readonly serverName: string | undefined;
  readonly verify: boolean;
  /** PEM; `undefined`: the system's authorities. */
  readonly ca: string | undefined;
}

/**
 * What Node's TLS client is told. A name that is an address is no SNI (RFC 6066 §3); the
 * certificate must carry it all the same.
 */
export function tlsOptions(to: Endpoint, { serverName, verify, ca }: TlsTarget) {
  const name = serverName ?? to.address;
  return {
    host: to.address,
    port: to.port,
    rejectUnauthorized: verify,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
}

/**
 * Passes when the handshake ends, and the certificate holds where it is verified. Nothing is sent
 * afterwards.
 */
export function probeTls(
  probe: TlsProbe,
  to: Endpoint,
  ca: string | undefined,
  limits: LookLimits,
): Promise<ProbeReport> {
  const { serverName, verify, warnExpiryDays } = probe;
  return oneLook(limits, ({ connected, settle, fail }) => {
    const tcp = connectTcp({ host: to.address, port: to.port });
    tcp.once('connect', connected);
    tcp.on('error', (error) => fail(error, (later) => answerFault(later, 'TlsFailed')));
    const socket = connect({ ...tlsOptions(to, { serverName, verify, ca }), socket: tcp });
    socket.once('secureConnect', () =>
      settle(answered('Passing', { expiresSoon: expiresSoon(socket, warnExpiryDays, limits.clock) })),
    );
    socket.on('error', (error) => fail(error, (later) => answerFault(later, 'TlsFailed')));
    // A peer that hangs up in the middle of the handshake without a word.
    socket.once('close', () => settle(answered('ClosedEarly')));
    return {
      destroy: () => {
        socket.destroy();
        tcp.destroy();
      },
    };
  });
}

function expiresSoon(socket: TLSSocket, warnDays: number, clock: Clock): boolean {
  if (warnDays === 0) return false;
  const { valid_to: validTo } = socket.getPeerCertificate();
  const endsAtWallMs = validTo === undefined ? Number.NaN : Date.parse(validTo);
  return Number.isFinite(endsAtWallMs) && endsAtWallMs - clock.wallMs() < warnDays * DAY_MS;
}
