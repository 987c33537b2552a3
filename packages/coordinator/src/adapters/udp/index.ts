export { HeartbeatListener, type HeartbeatListenerOptions, type ListenerStats } from './heartbeat-listener.ts';
export { readKernelDrops } from './kernel-drops.ts';
export { RECEIVE_BUFFER_BYTES, UdpSocket, type UdpSocketOptions } from './udp-socket.ts';
