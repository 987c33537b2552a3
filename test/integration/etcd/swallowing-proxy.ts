import { createServer, type Server, type Socket, connect } from 'node:net';

export type Direction = 'toServer' | 'toClient';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes went missing on it: it can never be used again. */
  tainted: boolean;
}

/**
 * A TCP proxy in front of one etcd member, with faults:
 * - `swallow`: bytes vanish, nobody is told (silent partition; `toClient` alone = applied, but the
 *   reply is lost);
 * - `hold`: bytes wait and arrive after `heal` (what TCP does when a partition ends: requests land
 *   late);
 * - `reset`: connections are torn down;
 * - `cutAfter`: a connection is reset after so many bytes to the client.
 *
 * Counters prove that a fault happened.
 */
export class SwallowingProxy {
  readonly swallowedBytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly heldBytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly forwardedBytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  connectionCount = 0;
  resetCount = 0;
  /**
   * A connection is reset once it carried this many bytes to the client; each value is used once.
   */
  cutAfterBytes: number[] = [];
  readonly #upstreamPort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #mode: Record<Direction, 'forward' | 'swallow' | 'hold'> = { toServer: 'forward', toClient: 'forward' };
  #held: { readonly to: Socket; readonly chunk: Buffer; readonly direction: Direction }[] = [];
  #refusing = false;

  private constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async listen(upstreamPort: number): Promise<SwallowingProxy> {
    const proxy = new SwallowingProxy(upstreamPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('the proxy is not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  get linkCount(): number {
    return this.#links.size;
  }

  swallow(...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : BOTH) this.#mode[direction] = 'swallow';
  }

  hold(...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : BOTH) this.#mode[direction] = 'hold';
  }

  /** Held bytes arrive; connections that lost some are reset. */
  heal(): void {
    this.#refusing = false;
    for (const direction of BOTH) this.#mode[direction] = 'forward';
    for (const link of this.#links) if (link.tainted) this.#reset(link);
    const held = this.#held;
    this.#held = [];
    for (const { to, chunk, direction } of held) {
      this.forwardedBytes[direction] += chunk.length;
      if (!to.destroyed) to.write(chunk);
    }
  }

  /** Tears down every connection; `refuse` keeps new ones out until `heal`. */
  reset(options: { readonly refuse?: boolean } = {}): void {
    this.#refusing = options.refuse ?? false;
    for (const link of this.#links) this.#reset(link);
  }

  async close(): Promise<void> {
    for (const link of this.#links) this.#reset(link);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    this.connectionCount += 1;
    const server = connect(this.#upstreamPort, '127.0.0.1');
    const link: Link = { client, server, tainted: false };
    this.#links.add(link);
    const cutAfter = { bytes: this.cutAfterBytes.length > 0 };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.#reset(link));
      socket.on('close', () => this.#reset(link));
    }
    let toClientBytes = 0;
    client.on('data', (chunk) => this.#pass(link, 'toServer', chunk));
    server.on('data', (chunk) => {
      toClientBytes += chunk.length;
      this.#pass(link, 'toClient', chunk);
      const limit = this.cutAfterBytes[0];
      if (cutAfter.bytes && limit !== undefined && toClientBytes >= limit) {
        this.cutAfterBytes.shift();
        this.#reset(link);
      }
    });
  }

  #pass(link: Link, direction: Direction, chunk: Buffer): void {
    const to = direction === 'toServer' ? link.server : link.client;
    switch (this.#mode[direction]) {
      case 'forward':
        this.forwardedBytes[direction] += chunk.length;
        if (!to.destroyed) to.write(chunk);
        return;
      case 'hold':
        this.heldBytes[direction] += chunk.length;
        this.#held.push({ to, chunk, direction });
        return;
      case 'swallow':
        this.swallowedBytes[direction] += chunk.length;
        link.tainted = true;
    }
  }

  #reset(link: Link): void {
    if (!this.#links.delete(link)) return;
    this.resetCount += 1;
    link.client.resetAndDestroy();
    link.server.destroy();
  }
}

const BOTH: readonly Direction[] = ['toServer', 'toClient'];
