import { lookup } from 'node:dns';
import type { SocketOptions } from 'node:dgram';
import { isIP } from 'node:net';
import { type DatagramSocket, type Endpoint, type Log, OperationError, errorText } from '@understudy/shared';
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised';

export const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpSocketOptions {
  readonly host: string;
  /** 0 = chosen by the kernel. */
  readonly port: number;
  readonly receiveBufferBytes?: number;
  /**
   * Several sockets of this user may be bound to the port (SO_REUSEPORT); the kernel gives each of
   * them its share of the senders. Default false.
   */
  readonly shared?: boolean;
}

/**
 * Linux reports twice what was granted, the other half being its own book-keeping (socket(7),
 * SO_RCVBUF).
 */
const KERNEL_DOUBLES = process.platform === 'linux' ? 2 : 1;

/**
 * Answers go to addresses as numbers: without this each of them takes a detour through the
 * resolver's queue.
 */
const lookUp: NonNullable<SocketOptions['lookup']> = (host, options, callback) => {
  const family = isIP(host);
  if (family === 0) lookup(host, options, callback);
  else callback(null, host, family);
};

/**
 * A bound UDP socket over dgram-as-promised. Receives on the underlying socket's `message` event:
 * the library's own `recv()` and iterator lose whatever comes while their caller waits.
 */
export class UdpSocket implements DatagramSocket {
  readonly localPort: number;
  readonly localAddress: string;
  /** What the kernel really granted; capped by `net.core.rmem_max`. */
  readonly receiveBufferBytes: number;
  readonly #socket: SocketAsPromised;
  #closed = false;

  private constructor(socket: SocketAsPromised, bound: { address: string; port: number }) {
    this.#socket = socket;
    this.localPort = bound.port;
    this.localAddress = bound.address;
    this.receiveBufferBytes = socket.getRecvBufferSize() / KERNEL_DOUBLES;
  }

  /** @throws CONFIG_INVALID when the address cannot be bound. */
  static async open(options: UdpSocketOptions, log: Log): Promise<UdpSocket> {
    const wantedBytes = options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES;
    const type = options.host.includes(':') ? 'udp6' : 'udp4';
    const socket = DgramAsPromised.createSocket({ type, lookup: lookUp, reusePort: options.shared ?? false });
    try {
      const bound = await socket.bind({ port: options.port, address: options.host, exclusive: true });
      socket.setRecvBufferSize(wantedBytes);
      const open = new UdpSocket(socket, bound);
      socket.socket.on('error', (error) => log.warn('udp.socket.error', { error: errorText(error) }));
      reportBuffer(log, open.receiveBufferBytes, wantedBytes);
      return open;
    } catch (cause) {
      socket.destroy();
      throw new OperationError(
        'CONFIG_INVALID',
        `cannot listen on udp ${options.host}:${options.port}: ${errorText(cause)}`,
        { cause },
      );
    }
  }

  async send(payload: Uint8Array, to: Endpoint): Promise<void> {
    await this.#socket.send(payload, to.port, to.address);
  }

  onMessage(listener: (payload: Uint8Array, from: Endpoint) => void): void {
    this.#socket.socket.removeAllListeners('message');
    this.#socket.socket.on('message', listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#socket.close();
  }
}

function reportBuffer(log: Log, grantedBytes: number, wantedBytes: number): void {
  if (grantedBytes >= wantedBytes) return;
  log.warn('udp.receive-buffer.small', {
    grantedBytes,
    wantedBytes,
    remedy: `sysctl net.core.rmem_max=${wantedBytes}: heartbeats are lost while this process pauses`,
  });
}
