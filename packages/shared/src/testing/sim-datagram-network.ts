import type { Clock } from '../ports/clock.ts';
import type { DatagramSocket, Endpoint } from '../ports/datagram-socket.ts';
import type { Random } from '../ports/random.ts';

/**
 * How a one-way path between two addresses behaves. Delays are drawn uniformly, so datagrams
 * overtake each other, as UDP's do.
 */
export interface PathBehaviour {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** 0-1. */
  readonly lossRatio: number;
  /** 0-1: a second copy with its own delay. */
  readonly duplicateRatio: number;
}

export const PERFECT_PATH: PathBehaviour = { minDelayMs: 1, maxDelayMs: 1, lossRatio: 0, duplicateRatio: 0 };

/** Every fault test asserts on these, because a fault that did not happen proves nothing. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  /** Dropped by a cut. */
  cut: number;
  /** No socket was bound at the destination on arrival. */
  unheard: number;
}

const FIRST_EPHEMERAL_PORT = 49_152;
/** Datagrams under way at once. Beyond it the network drops, as a full queue does. */
const IN_FLIGHT_MAX = 1_000_000;

const pathKey = (from: string, to: string) => `${from}>${to}`;
const endpointKey = (endpoint: Endpoint) => `${endpoint.address}:${endpoint.port}`;

/**
 * UDP in memory: delay, loss, duplication and one-way cuts per path. All use the injected clock and
 * random source, so that one seed gives one run. `*` stands for every address; the most exact rule
 * wins (from>to, from>*, *>to, *>*).
 */
export class SimDatagramNetwork {
  readonly counts: NetworkCounts = { sent: 0, delivered: 0, lost: 0, duplicated: 0, cut: 0, unheard: 0 };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sockets = new Map<string, SimDatagramSocket>();
  readonly #paths = new Map<string, PathBehaviour>();
  readonly #cuts = new Set<string>();
  #nextPort = FIRST_EPHEMERAL_PORT;
  #inFlight = 0;

  constructor(options: { readonly clock: Clock; readonly random: Random; readonly path?: Partial<PathBehaviour> }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.setPath('*', '*', options.path ?? {});
  }

  /**
   * Binds `address`. Port 0 (the default) takes the next free one. Throws when the endpoint is
   * taken.
   */
  open(address: string, port = 0): DatagramSocket {
    const local: Endpoint = { address, port: port === 0 ? this.#nextPort++ : port };
    if (this.#sockets.has(endpointKey(local))) throw new Error(`${endpointKey(local)} is in use`);
    const socket = new SimDatagramSocket(this, local);
    this.#sockets.set(endpointKey(local), socket);
    return socket;
  }

  /**
   * Replaces the behaviour of the one-way path. Fields that are not named are as in
   * {@link PERFECT_PATH}.
   */
  setPath(from: string, to: string, behaviour: Partial<PathBehaviour>): void {
    this.#paths.set(pathKey(from, to), { ...PERFECT_PATH, ...behaviour });
  }

  /**
   * Drops everything from `from` to `to`, one way, until {@link heal}. Datagrams under way still
   * arrive.
   */
  cut(from: string, to: string): void {
    this.#cuts.add(pathKey(from, to));
  }

  /** Undoes the cut made with the same two names. */
  heal(from: string, to: string): void {
    this.#cuts.delete(pathKey(from, to));
  }

  /** Used by the sockets. A test may call it to forge a sender. */
  transmit(payload: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.counts.sent++;
    if (this.#isCut(from.address, to.address)) {
      this.counts.cut++;
      return;
    }
    const path = this.#pathOf(from.address, to.address);
    if (this.#random.next() < path.lossRatio || this.#inFlight >= IN_FLIGHT_MAX) {
      this.counts.lost++;
      return;
    }
    this.#carry(Uint8Array.from(payload), from, to, path);
    if (this.#random.next() >= path.duplicateRatio) return;
    this.counts.duplicated++;
    this.#carry(Uint8Array.from(payload), from, to, path);
  }

  release(local: Endpoint): void {
    this.#sockets.delete(endpointKey(local));
  }

  #carry(payload: Uint8Array, from: Endpoint, to: Endpoint, path: PathBehaviour): void {
    const delayMs = path.minDelayMs + this.#random.next() * (path.maxDelayMs - path.minDelayMs);
    this.#inFlight++;
    this.#clock.setTimer(delayMs, () => {
      this.#inFlight--;
      const receiver = this.#sockets.get(endpointKey(to));
      if (!receiver) {
        this.counts.unheard++;
        return;
      }
      this.counts.delivered++;
      receiver.deliver(payload, from);
    });
  }

  #isCut(from: string, to: string): boolean {
    return candidates(from, to).some((key) => this.#cuts.has(key));
  }

  #pathOf(from: string, to: string): PathBehaviour {
    for (const key of candidates(from, to)) {
      const path = this.#paths.get(key);
      if (path) return path;
    }
    return PERFECT_PATH;
  }
}

const candidates = (from: string, to: string): readonly string[] => [
  pathKey(from, to),
  pathKey(from, '*'),
  pathKey('*', to),
  pathKey('*', '*'),
];

class SimDatagramSocket implements DatagramSocket {
  readonly #network: SimDatagramNetwork;
  readonly #local: Endpoint;
  #listener: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  #closed = false;

  constructor(network: SimDatagramNetwork, local: Endpoint) {
    this.#network = network;
    this.#local = local;
  }

  get localPort(): number {
    return this.#local.port;
  }

  async send(payload: Uint8Array, to: Endpoint): Promise<void> {
    if (this.#closed) throw new Error('the socket is closed');
    this.#network.transmit(payload, this.#local, to);
  }

  onMessage(listener: (payload: Uint8Array, from: Endpoint) => void): void {
    this.#listener = listener;
  }

  deliver(payload: Uint8Array, from: Endpoint): void {
    if (!this.#closed) this.#listener?.(payload, from);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.release(this.#local);
  }
}
