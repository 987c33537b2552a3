import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, ok } from '../finding.ts';

/** `free`: it can be bound. `taken`: somebody has. Else why not. */
export type Binding = 'free' | 'taken' | { readonly problem: string };

export interface SocketFacts {
  readonly what: string;
  readonly address: string;
  readonly binding: Binding;
  /** Our own coordinator runs here, so that it is it who has them. */
  readonly running: boolean;
}

/** Whether the coordinator's addresses are free, or its own. Pure. */
export function judgeSockets(sockets: readonly SocketFacts[]): readonly Finding[] {
  return sockets.map(({ what, address, binding, running }) => {
    if (typeof binding === 'object')
      return fault(
        `${what} ${address} cannot be bound: ${binding.problem}`,
        'name an address of this host, and a port above 1023',
      );
    if (binding === 'free')
      return running
        ? fault(`${what} ${address} is bound by nobody, although the coordinator runs`, 'restart it, and read its log')
        : ok(`${what} ${address} is free for the coordinator`);
    return running
      ? ok(`${what} ${address} is bound by the coordinator`)
      : fault(`${what} ${address} is taken by another process`, 'end it, or choose another port', 'ss -lnptu');
  });
}

const bindingOf = (error: NodeJS.ErrnoException): Binding =>
  error.code === 'EADDRINUSE' ? 'taken' : { problem: error.code ?? error.message };

function bindUdp(host: string, port: number): Promise<Binding> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    socket.once('error', (error) => resolve(bindingOf(error)));
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.close();
      resolve('free');
    });
  });
}

function bindTcp(host: string, port: number): Promise<Binding> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(bindingOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

export const sockets = check(
  'addresses',
  async ({ config, peers }: CoordinatorHost): Promise<readonly SocketFacts[]> => {
    const { udp, http } = config;
    const running = await peers().then(
      (all) => all.some(({ coordinatorId, httpProblem }) => coordinatorId === config.id && httpProblem === null),
      () => false,
    );
    const [heartbeats, api] = await Promise.all([bindUdp(udp.host, udp.port), bindTcp(http.host, http.port)]);
    return [
      { what: 'UDP', address: `${udp.host}:${udp.port}`, binding: heartbeats, running },
      { what: 'TCP', address: `${http.host}:${http.port}`, binding: api, running },
    ];
  },
  judgeSockets,
);
