import { createSocket, type Socket } from 'node:dgram';

const BUFFER_BYTES = 4 << 20;

/** The yardstick: a `node:dgram` socket that counts. */
export async function bareCounter(): Promise<{ port: number; received: () => number; socket: Socket }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve));
  socket.setRecvBufferSize(BUFFER_BYTES);
  let count = 0;
  socket.on('message', () => {
    count++;
  });
  return { port: socket.address().port, received: () => count, socket };
}
