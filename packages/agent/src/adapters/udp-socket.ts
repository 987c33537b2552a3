import type { DatagramSocket, Endpoint } from '@understudy/shared';
import { DgramAsPromised } from 'dgram-as-promised';

/**
 * Room for acks that arrive while the process is busy. The kernel caps it at `net.core.rmem_max`.
 */
const RECEIVE_BUFFER_BYTES = 262_144;

/**
 * UDP over dgram-as-promised, used for create, bind, send and close only. The node socket's
 * listener receives, because the library's `recv()` loses datagrams while its caller waits. Send to
 * addresses, not to names: a name would be looked up for every datagram.
 */
export async function openUdpSocket(options: {
  readonly family: 4 | 6;
  readonly host?: string;
  readonly port?: number;
  /** Called with asynchronous socket errors. The socket goes on. */
  readonly onError?: (error: Error) => void;
}): Promise<DatagramSocket> {
  const socket = DgramAsPromised.createSocket({ type: options.family === 4 ? 'udp4' : 'udp6' });
  // The library keeps an error and throws it at the next send. Without a listener of ours it would
  // also go unseen.
  socket.socket.on('error', (error) => options.onError?.(error));
  const { port } = await socket.bind({ port: options.port ?? 0, ...(options.host ? { address: options.host } : {}) });
  socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  let closing: Promise<void> | null = null;
  return {
    localPort: port,
    async send(payload: Uint8Array, to: Endpoint) {
      await socket.send(payload, to.port, to.address);
    },
    onMessage(listener) {
      socket.socket.removeAllListeners('message');
      socket.socket.on('message', (payload, from) => listener(payload, { address: from.address, port: from.port }));
    },
    close() {
      closing ??= socket.close();
      return closing;
    },
  };
}
