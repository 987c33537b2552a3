import type { Clock } from '../ports/clock.ts';
import type { DatagramSocket, Endpoint } from '../ports/datagram-socket.ts';
import type { Random } from '../ports/random.ts';

/** Where a datagram starts or ends. */
export interface NetworkNode {
  /** `c1`, the member's name, or the address again. */
  readonly name: string;
  readonly role: 'coordinator' | 'agent' | 'other';
  readonly az: string;
  readonly address: string;
}

/** Fits the nodes that have all that it names; `{}` fits every node. */
export type Selector = Partial<NetworkNode>;

/**
 * What is wrong, one way, between the nodes that fit. Several add up: the worst loss, the longest
 * delay.
 */
export interface Condition {
  readonly from: Selector;
  readonly to: Selector;
  readonly cut?: boolean;
  /** 0-1 */
  readonly lossRatio?: number;
  /** 0-1: a second copy with a delay of its own. */
  readonly duplicateRatio?: number;
  /** Added to the usual delay. A wide range makes datagrams overtake each other. */
  readonly delayMs?: readonly [minMs: number, maxMs: number];
}

interface Path {
  readonly cut: boolean;
  readonly lossRatio: number;
  readonly duplicateRatio: number;
  readonly delayMs: readonly [number, number];
  /** Number of the newest datagram that has arrived. */
  newestArrived: number;
}

/** Every fault test asserts on these: a fault that did not happen proves nothing. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  /** Dropped by a cut. */
  cut: number;
  /** Nobody was bound at the destination. */
  unheard: number;
  /** Arrived after one that was sent later. */
  overtaken: number;
}

const ONE_MS: readonly [number, number] = [1, 1];
/** Datagrams under way at once; beyond it the network drops, as a full queue does. */
const IN_FLIGHT_MAX = 1_000_000;
const FIRST_EPHEMERAL_PORT = 49_152;

const fits = (selector: Selector, node: NetworkNode): boolean =>
  (selector.name === undefined || selector.name === node.name) &&
  (selector.role === undefined || selector.role === node.role) &&
  (selector.az === undefined || selector.az === node.az) &&
  (selector.address === undefined || selector.address === node.address);

const selectorOf = (address: string): Selector => (address === '*' ? {} : { address });
const cutId = (from: string, to: string): string => `cut ${from}>${to}`;

/**
 * UDP in memory, on the injected clock and random source, so that one seed gives one run. What goes
 * wrong is a list of {@link Condition}s that is asked once per pair of nodes and change. Delays are
 * drawn uniformly, so datagrams overtake each other, as UDP's do.
 */
export class SimDatagramNetwork {
  readonly counts: NetworkCounts = {
    ...{ sent: 0, delivered: 0, lost: 0, duplicated: 0, cut: 0, unheard: 0, overtaken: 0 },
  };
  readonly #clock: Clock;
  readonly #random: Random;
  /** Per address, by port. */
  readonly #sockets = new Map<string, Map<number, SimSocket>>();
  readonly #nodes = new Map<string, NetworkNode>();
  readonly #conditions = new Map<string, Condition>();
  readonly #paths = new Map<NetworkNode, Map<NetworkNode, Path>>();
  readonly #usualDelayMs: readonly [number, number];
  #nextPort = FIRST_EPHEMERAL_PORT;
  #inFlight = 0;

  /** `usualDelayMs`: while nothing is wrong; by default always 1 ms. */
  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly usualDelayMs?: readonly [minMs: number, maxMs: number];
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#usualDelayMs = options.usualDelayMs ?? ONE_MS;
  }

  /** From now on, until {@link lift}ed. What is under way still arrives. */
  impose(id: string, condition: Condition): void {
    this.#conditions.set(id, condition);
    this.#paths.clear();
  }

  lift(id: string): void {
    if (this.#conditions.delete(id)) this.#paths.clear();
  }

  /** Drops everything from one address to another, one way. `*` stands for every address. */
  cut(from: string, to: string): void {
    this.impose(cutId(from, to), { from: selectorOf(from), to: selectorOf(to), cut: true });
  }

  /** Undoes the cut made with the same two names. */
  heal(from: string, to: string): void {
    this.lift(cutId(from, to));
  }

  /** Whether nothing, or next to nothing, gets through. */
  isCut(from: NetworkNode, to: NetworkNode): boolean {
    const path = this.#pathOf(from, to);
    return path.cut || path.lossRatio >= 0.5;
  }

  /**
   * Binds a node, or an address of which nothing else is known. Port 0 (the default) takes the next
   * free one.
   * @throws Error when the endpoint is taken
   */
  open(at: NetworkNode | string, port = 0): DatagramSocket {
    const node = typeof at === 'string' ? this.#nodeAt(at) : at;
    const local = { address: node.address, port: port === 0 ? this.#nextPort++ : port };
    const socket = new SimSocket(this, node, local);
    const ports = this.#sockets.get(local.address) ?? new Map<number, SimSocket>();
    if (ports.has(local.port)) throw new Error(`${local.address}:${local.port} is in use`);
    this.#sockets.set(local.address, ports.set(local.port, socket));
    this.#nodes.set(node.address, node);
    return socket;
  }

  #nodeAt(address: string): NetworkNode {
    return this.#nodes.get(address) ?? { name: address, role: 'other', az: '', address };
  }

  release(socket: SimSocket): void {
    const { address, port } = socket.local;
    this.#sockets.get(address)?.delete(port);
    this.#paths.delete(socket.node);
  }

  transmit(payload: Uint8Array, from: SimSocket, to: Endpoint): void {
    this.counts.sent += 1;
    const target = this.#nodes.get(to.address);
    if (!target) {
      this.counts.unheard += 1;
      return;
    }
    const path = this.#pathOf(from.node, target);
    if (path.cut) this.counts.cut += 1;
    else if (this.#random.next() < path.lossRatio || this.#inFlight >= IN_FLIGHT_MAX) this.counts.lost += 1;
    else {
      this.#carry(payload, from, to, path);
      if (path.duplicateRatio > 0 && this.#random.next() < path.duplicateRatio) {
        this.counts.duplicated += 1;
        this.#carry(payload, from, to, path);
      }
    }
  }

  /** The payload is copied: whoever sends may use its buffer again at once. */
  #carry(payload: Uint8Array, from: SimSocket, to: Endpoint, path: Path): void {
    const [minMs, maxMs] = path.delayMs;
    const number = this.counts.sent;
    const copy = new Uint8Array(payload);
    this.#inFlight += 1;
    this.#clock.setTimer(minMs + this.#random.next() * (maxMs - minMs), () => {
      this.#inFlight -= 1;
      const receiver = this.#sockets.get(to.address)?.get(to.port);
      if (receiver) this.counts.delivered += 1;
      else this.counts.unheard += 1;
      if (number < path.newestArrived) this.counts.overtaken += 1;
      else path.newestArrived = number;
      receiver?.deliver(copy, from.local);
    });
  }

  #pathOf(from: NetworkNode, to: NetworkNode): Path {
    let ways = this.#paths.get(from);
    if (!ways) this.#paths.set(from, (ways = new Map<NetworkNode, Path>()));
    const known = ways.get(to);
    if (known) return known;
    const path = this.#resolve(from, to);
    ways.set(to, path);
    return path;
  }

  #resolve(from: NetworkNode, to: NetworkNode): Path {
    const found = [...this.#conditions.values()].filter((one) => fits(one.from, from) && fits(one.to, to));
    const [usualMinMs, usualMaxMs] = this.#usualDelayMs;
    return {
      newestArrived: 0,
      cut: found.some((one) => one.cut === true),
      lossRatio: Math.max(0, ...found.map((one) => one.lossRatio ?? 0)),
      duplicateRatio: Math.max(0, ...found.map((one) => one.duplicateRatio ?? 0)),
      delayMs: [
        usualMinMs + Math.max(0, ...found.map((one) => one.delayMs?.[0] ?? 0)),
        usualMaxMs + Math.max(0, ...found.map((one) => one.delayMs?.[1] ?? 0)),
      ],
    };
  }
}

class SimSocket implements DatagramSocket {
  readonly node: NetworkNode;
  readonly local: Endpoint;
  readonly #network: SimDatagramNetwork;
  #listener: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  #closed = false;

  constructor(network: SimDatagramNetwork, node: NetworkNode, local: Endpoint) {
    this.#network = network;
    this.node = node;
    this.local = local;
  }

  get localPort(): number {
    return this.local.port;
  }

  async send(payload: Uint8Array, to: Endpoint): Promise<void> {
    if (this.#closed) throw new Error('the socket is closed');
    this.#network.transmit(payload, this, to);
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
    this.#network.release(this);
  }
}
