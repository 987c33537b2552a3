import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const freeTcpPort = () =>
  new Promise<{ port: number; release: () => Promise<void> }>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port'));
      resolve({ port: address.port, release: () => new Promise((done) => server.close(() => done())) });
    });
  });

const freeUdpPort = () =>
  new Promise<{ port: number; release: () => Promise<void> }>((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () =>
      resolve({ port: socket.address().port, release: () => new Promise((done) => socket.close(() => done())) }),
    );
  });

async function take(count: number, next: typeof freeTcpPort): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, next));
  await Promise.all(held.map((each) => each.release()));
  return held.map((each) => each.port);
}

/**
 * Ports that were free a moment ago, all different: they are held together, then released together.
 */
export const freeTcpPorts = (count: number): Promise<number[]> => take(count, freeTcpPort);
export const freeUdpPorts = (count: number): Promise<number[]> => take(count, freeUdpPort);
