import { connect, type Socket } from 'node:net';

/** Connections to one port, from one address, on which nothing is ever sent. */
export interface IdleConnections {
  /** How many were established so far. */
  readonly opened: () => number;
  /** How many of these the other side has closed. */
  readonly closed: () => number;
  end(): void;
}

const AGAIN_AFTER_MS = 1_000;

/** Keeps this many of them open: one that is closed is opened again a second later. */
export function keepIdleConnections(host: string, port: number, count: number): IdleConnections {
  const sockets = new Set<Socket>();
  const seen = { opened: 0, closed: 0, ended: false };
  const open = (): void => {
    if (seen.ended) return;
    const socket = connect({ host, port });
    sockets.add(socket);
    let established = false;
    socket.once('connect', () => {
      established = true;
      seen.opened += 1;
    });
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      sockets.delete(socket);
      if (established) seen.closed += 1;
      setTimeout(open, AGAIN_AFTER_MS).unref();
    });
  };
  for (let index = 0; index < count; index += 1) open();
  return {
    opened: () => seen.opened,
    closed: () => seen.closed,
    end: () => {
      seen.ended = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
