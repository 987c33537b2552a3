import { connect } from 'node:net';
import type { Endpoint, ProbeReport } from '@understudy/shared';
import { type LookLimits, oneLook } from './one-look.ts';
import { answered, answerFault } from './socket-faults.ts';

/** Passes when the connection is accepted. Nothing is sent; it is closed at once. */
export function probeTcp(to: Endpoint, limits: LookLimits): Promise<ProbeReport> {
  return oneLook(limits, ({ settle, fail }) => {
    const socket = connect({ host: to.address, port: to.port });
    socket.once('connect', () => settle(answered('Passing')));
    socket.on('error', (error) => fail(error, (later) => answerFault(later, 'Reset')));
    return socket;
  });
}
