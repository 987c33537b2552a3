import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** All connections at once. */
  readonly connections: number;
  /**
   * Connections from one address at once. Below `connections`, so that one address never has them
   * all.
   */
  readonly connectionsPerAddress: number;
}

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Requests whose header is complete and whose answer is not. */
  underWay: number;
}

export interface LimitCounts {
  readonly open: number;
  /** Connections closed to make room. They had no request under way. */
  readonly evicted: number;
  /**
   * Connections closed at once, because every connection of their address, or of the server, had a
   * request under way.
   */
  readonly refused: number;
}

/**
 * Keeps room for callers that have something to ask. A connection without a complete request is
 * worth less than a new one: when its address, or the server, has its fill, the oldest such
 * connection is closed. So idle connections and headers that trickle in (slowloris) shut nobody
 * out, from one address or from many.
 */
export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  /**
   * Open connections in the order they came, by both ends' ports: over TLS a request does not have
   * the socket that was accepted. At most `connections`.
   */
  readonly #open = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  #evicted = 0;
  #refused = 0;

  constructor(server: Server, limits: ConnectionLimits) {
    this.#limits = limits;
    server.on('connection', (socket) => this.#admit(socket));
    server.prependListener('request', (request, response) => this.#begin(request, response));
  }

  get counts(): LimitCounts {
    return { open: this.#open.size, evicted: this.#evicted, refused: this.#refused };
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const addressIsFull = (this.#perAddress.get(address) ?? 0) >= this.#limits.connectionsPerAddress;
    const full = addressIsFull || this.#open.size >= this.#limits.connections;
    if (full && !this.#evict(addressIsFull ? address : null)) {
      this.#refused++;
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    this.#open.set(key, { socket, address, underWay: 0 });
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    socket.once('close', () => this.#forget(key));
  }

  #begin({ socket }: IncomingMessage, response: ServerResponse): void {
    const connection = this.#open.get(keyOf(socket));
    if (!connection) return;
    connection.underWay++;
    response.once('close', () => {
      connection.underWay--;
    });
  }

  /**
   * Closes the oldest idle connection of this address. Null stands for the address that has most.
   * False: all of them have a request under way.
   */
  #evict(address: string | null): boolean {
    let victim: Connection | null = null;
    let victimKey = '';
    for (const [key, connection] of this.#open) {
      if (connection.underWay > 0 || (address !== null && connection.address !== address)) continue;
      if (victim === null || this.#share(connection) > this.#share(victim)) [victim, victimKey] = [connection, key];
      if (address !== null) break;
    }
    if (!victim) return false;
    this.#evicted++;
    this.#forget(victimKey);
    victim.socket.destroy();
    return true;
  }

  #share({ address }: Connection): number {
    return this.#perAddress.get(address) ?? 0;
  }

  #forget(key: string): void {
    const connection = this.#open.get(key);
    if (!connection) return;
    this.#open.delete(key);
    const left = this.#share(connection) - 1;
    if (left > 0) this.#perAddress.set(connection.address, left);
    else this.#perAddress.delete(connection.address);
  }
}

const keyOf = ({ remoteAddress, remotePort, localPort }: Socket): string =>
  `${remoteAddress ?? ''} ${remotePort ?? 0} ${localPort ?? 0}`;
