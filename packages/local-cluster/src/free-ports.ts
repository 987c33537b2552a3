import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * Below what kernels give to outgoing connections (Linux: 32768 and up, macOS: 49152): one of
 * those, to anybody, would otherwise take a port between our look and the moment its server binds
 * it.
 */
const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES_MAX = 500;

/** Begins somewhere else in each process, and never gives the same one twice. */
let next = randomInt(LOWEST, HIGHEST);

const tcpIsFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const udpIsFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });

/**
 * A port of loopback that is free for TCP and UDP. Another process may take it before you do; then
 * your start fails and says so.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const port = next;
    next = next + 1 >= HIGHEST ? LOWEST : next + 1;
    if ((await tcpIsFree(port)) && (await udpIsFree(port))) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST}`);
}

/** As many different ones. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}
