export {
  HeartbeatListener,
  type HeartbeatListenerOptions,
  type ListenerStats,
  type Receiver,
} from './heartbeat-listener.ts';
export { readKernelDrops } from './kernel-drops.ts';
export { ThreadedUdpSocket, type ThreadedUdpSocketOptions } from './threaded-udp-socket.ts';
export {
  type HeartbeatSocket,
  type HeartbeatSocketOptions,
  openHeartbeatSocket,
} from './open-heartbeat-socket.ts';
export { RECEIVE_BUFFER_BYTES, UdpSocket, type UdpSocketOptions } from './udp-socket.ts';
