import { connect } from 'node:net';
import type { HostPort } from '../host-port.ts';

/** `silent`: there was no answer before `signal` aborted, or there is no way there. */
export type TcpAnswer = 'accepted' | 'refused' | 'silent';

/** Connects and hangs up. Never rejects. */
export function tcpConnect(target: HostPort, signal: AbortSignal): Promise<TcpAnswer> {
  return new Promise((resolve) => {
    const socket = connect(target);
    const finish = (answer: TcpAnswer) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = () => finish('silent');
    socket.once('connect', () => finish('accepted'));
    // The listener is `on`, not `once`: a socket that is being destroyed may still say why.
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
