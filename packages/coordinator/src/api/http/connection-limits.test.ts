import { SystemClock } from '@understudy/shared/node';
import { connect, type Socket } from 'node:net';
import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { closeServers, serveApi } from './http.fixtures.ts';
import type { HttpServer } from './server.ts';

const clock = new SystemClock();
let server: HttpServer;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = await serveApi({
    limits: { connections: 256, connectionsPerAddress: 64, headersTimeoutMs: 1_000, requestsPerMinute: 60_000 },
  });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await closeServers();
});

/** Opens connections and sends nothing, or only the beginning of a header. */
function throwAt(count: number, localAddress: string, begin = ''): Promise<void[]> {
  const opened = Array.from({ length: count }, () => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    socket.on('error', () => undefined);
    return new Promise<void>((resolve) => {
      socket.once('connect', () => {
        if (begin !== '') socket.write(begin);
        resolve();
      });
      socket.once('close', () => resolve());
    });
  });
  return Promise.all(opened);
}

async function healthMs(): Promise<number> {
  const fromMs = clock.monotonicMs();
  const response = await fetch(`http://127.0.0.1:${server.port}/healthz`, { headers: { connection: 'close' } });
  expect(await response.json()).toEqual({ healthy: true });
  return clock.monotonicMs() - fromMs;
}

describe('health is answered', () => {
  test('with 256 idle connections from the same address', async () => {
    await throwAt(256, '127.0.0.1');
    expect(await healthMs()).toBeLessThan(2_000);
    expect(server.connections()).toMatchObject({ evicted: 256 - 64 + 1, refused: 0 });
  });

  test('with headers that trickle in from as many addresses as fill the server', async () => {
    for (let host = 2; host < 10; host++) await throwAt(64, `127.0.0.${host}`, 'GET /healthz HTTP/1.1\r\nX: ');
    expect(await healthMs()).toBeLessThan(2_000);
  });

  test('while 2 000 connections are thrown at it, and heartbeats pass as in peace', async () => {
    const peace = [await healthMs(), await healthMs(), await healthMs()];
    const quietMs = await datagramsMs();
    const thrown = Promise.all([throwAt(1_000, '127.0.0.1'), throwAt(1_000, '127.0.0.2', 'GET / HTTP/1.1\r\n')]);
    const war = [await healthMs(), await healthMs(), await healthMs()];
    const loudMs = await datagramsMs();
    await thrown;
    war.push(await healthMs());
    const median = (all: number[]) => all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0;
    console.log(
      `health: ${median(war).toFixed(1)} ms under fire, ${median(peace).toFixed(1)} ms in peace; 100 datagrams: ${loudMs.toFixed(0)} ms, ${quietMs.toFixed(0)} ms in peace, ratio ${(loudMs / quietMs).toFixed(2)}`,
    );
    for (const ms of war) expect(ms).toBeLessThan(3_000);
    expect(loudMs).toBeLessThan(3_000);
  }, 30_000);
});

test('a connection that never completes its header is closed in time', async () => {
  await throwAt(1, '127.0.0.1', 'GET /healthz HTTP/1.1\r\nX: ');
  const [socket] = sockets;
  const fromMs = clock.monotonicMs();
  socket?.resume();
  await new Promise((resolve) => socket?.once('close', resolve));
  expect(clock.monotonicMs() - fromMs).toBeLessThan(5_000);
});

/**
 * Time that a hundred datagrams take, each sent after the one before came in. A heartbeat socket of
 * this process needs that.
 */
async function datagramsMs(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const fromMs = clock.monotonicMs();
  for (let sent = 0; sent < 100; sent++) {
    const heard = new Promise((resolve) => socket.once('message', resolve));
    socket.send(Buffer.alloc(160), socket.address().port, '127.0.0.1');
    await heard;
  }
  const tookMs = clock.monotonicMs() - fromMs;
  socket.close();
  return tookMs;
}
