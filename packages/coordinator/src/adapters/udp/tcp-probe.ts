import { connect } from 'node:net';
import type { Clock, Endpoint } from '@understudy/shared';
import type { ProbeOutcome } from '../../core/observe/index.ts';

const OWN_FAULT = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENETUNREACH', 'EACCES', 'EPERM']);

/** Does the host answer on this port? A refusal is an answer. What fails on our side (no descriptor, no route) is `not-sent`. Never rejects. */
export function probeTcp(to: Endpoint, clock: Clock, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: to.address, port: to.port });
    const finish = (outcome: ProbeOutcome) => {
      timer.cancel();
      socket.destroy();
      resolve(outcome);
    };
    const timer = clock.setTimer(timeoutMs, () => finish('failed'));
    socket.once('connect', () => finish('answered'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') finish('answered');
      else finish(OWN_FAULT.has(error.code ?? '') ? 'not-sent' : 'failed');
    });
  });
}
