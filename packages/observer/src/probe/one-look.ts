import { connect } from 'node:net';
import { type Clock, type Endpoint, NOT_SENT, type ProbeReport } from '@understudy/shared';
import { answered, answerFault, connectFault, silent } from './socket-faults.ts';

export interface LookLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The one end of a look: whatever comes first settles it, and the connection is gone with it. */
export interface Ending {
  /** The connection stands: from now on silence is the service's, not the host's. */
  readonly connected: () => void;
  readonly settle: (report: ProbeReport) => void;
  /** What `error` means depends on whether the connection stood. */
  readonly fail: (error: unknown, afterConnect: (error: unknown) => ProbeReport) => void;
}

/**
 * `begin` opens a connection and returns what destroys it. The deadline is for everything together:
 * a peer that sends a byte now and then gains nothing.
 */
export function oneLook(limits: LookLimits, begin: (ending: Ending) => { destroy(): unknown }): Promise<ProbeReport> {
  const { clock, timeoutMs, signal } = limits;
  if (signal.aborted) return Promise.resolve(NOT_SENT);
  return new Promise((resolve) => {
    let stands = false;
    let open: { destroy(): unknown } | null = null;
    let settled = false;
    const settle = (report: ProbeReport) => {
      if (settled) return;
      settled = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      open?.destroy();
      resolve(report);
    };
    const onAbort = () => settle(NOT_SENT);
    const timer = clock.setTimer(timeoutMs, () => settle(stands ? answered('Timeout') : silent('Timeout')));
    signal.addEventListener('abort', onAbort, { once: true });
    const connected = () => {
      stands = true;
    };
    const fail: Ending['fail'] = (error, afterConnect) => settle(stands ? afterConnect(error) : connectFault(error));
    try {
      open = begin({ connected, settle, fail });
    } catch {
      settle(NOT_SENT);
    }
    if (settled) open?.destroy();
  });
}

/** Passes when the connection is accepted. Nothing is sent; it is closed at once. */
export function probeTcp(to: Endpoint, limits: LookLimits): Promise<ProbeReport> {
  return oneLook(limits, ({ settle, fail }) => {
    const socket = connect({ host: to.address, port: to.port });
    socket.once('connect', () => settle(answered('Passing')));
    socket.on('error', (error) => fail(error, (later) => answerFault(later, 'Reset')));
    return socket;
  });
}
