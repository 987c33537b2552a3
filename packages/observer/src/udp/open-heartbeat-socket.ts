import type { Clock, DatagramSocket, Log } from '@understudy/shared';
import type { Receiver } from './heartbeat-listener.ts';
import { ThreadedUdpSocket } from './threaded-udp-socket.ts';
import { UdpSocket, type UdpSocketOptions } from './udp-socket.ts';

export interface HeartbeatSocketOptions extends UdpSocketOptions {
  /** 0 = read on the main thread. */
  readonly receiveThreads: number;
  /** Pace of the observer; a receive thread shows at least that often that it listens. */
  readonly tickMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing is heard any more. Called at most once. */
  readonly onBroken: (error: Error) => void;
}

export interface HeartbeatSocket {
  readonly socket: DatagramSocket & { readonly receiveBufferBytes: number };
  /** Absent when the main thread reads the socket. */
  readonly receiver?: Receiver;
}

/** A thread shows at least this often that it listens. */
const LISTEN_EVERY_MS = 100;

/** @throws CONFIG_INVALID when the address cannot be bound, or not by so many threads. */
export async function openHeartbeatSocket(options: HeartbeatSocketOptions): Promise<HeartbeatSocket> {
  const { receiveThreads, tickMs, log } = options;
  if (receiveThreads === 0) return { socket: await UdpSocket.open(options, log) };
  const listenEveryMs = Math.min(LISTEN_EVERY_MS, tickMs);
  const socket = await ThreadedUdpSocket.open({ ...options, threads: receiveThreads, listenEveryMs });
  return { socket, receiver: socket };
}
