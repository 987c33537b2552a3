import type { Clock, DatagramSocket, Endpoint, Random } from '@understudy/shared';

/** Where a datagram starts or ends. */
export interface NetworkNode {
  /** `c1`, or the member's name. */
  readonly name: string;
  readonly role: 'coordinator' | 'agent';
  readonly az: string;
  readonly address: string;
}

export type Selector = Partial<Omit<NetworkNode, 'address'>>;

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

/** Within one Region. */
const USUAL_DELAY_MS: readonly [number, number] = [0.2, 2];
const FIRST_EPHEMERAL_PORT = 49_152;

const fits = (selector: Selector, node: NetworkNode): boolean =>
  (selector.name === undefined || selector.name === node.name) &&
  (selector.role === undefined || selector.role === node.role) &&
  (selector.az === undefined || selector.az === node.az);

/**
 * UDP between simulated machines. What goes wrong is a list of {@link Condition}s that is asked
 * once per pair of nodes and change.
 */
export class SimNetwork {
  readonly counts = { sent: 0, delivered: 0, lost: 0, duplicated: 0, cut: 0, unheard: 0, overtaken: 0 };
  readonly #clock: Clock;
  readonly #random: Random;
  /** Per address, by port. */
  readonly #sockets = new Map<string, Map<number, SimSocket>>();
  readonly #nodes = new Map<string, NetworkNode>();
  readonly #conditions = new Map<string, Condition>();
  readonly #paths = new Map<NetworkNode, Map<NetworkNode, Path>>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  impose(id: string, condition: Condition): void {
    this.#conditions.set(id, condition);
    this.#paths.clear();
  }

  lift(id: string): void {
    if (this.#conditions.delete(id)) this.#paths.clear();
  }

  isCut(from: NetworkNode, to: NetworkNode): boolean {
    const path = this.#pathOf(from, to);
    return path.cut || path.lossRatio >= 0.5;
  }

  open(node: NetworkNode, port = 0): DatagramSocket {
    const local = { address: node.address, port: port === 0 ? this.#nextPort++ : port };
    const socket = new SimSocket(this, node, local);
    const ports = this.#sockets.get(local.address) ?? new Map<number, SimSocket>();
    if (ports.has(local.port)) throw new Error(`${local.address}:${local.port} is in use`);
    this.#sockets.set(local.address, ports.set(local.port, socket));
    this.#nodes.set(node.address, node);
    return socket;
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
    else if (this.#random.next() < path.lossRatio) this.counts.lost += 1;
    else {
      this.#carry(payload, from, to, path);
      if (path.duplicateRatio > 0 && this.#random.next() < path.duplicateRatio) {
        this.counts.duplicated += 1;
        this.#carry(payload, from, to, path);
      }
    }
  }

  /**
   * The payload is not copied: whoever sends makes a datagram for the purpose and lets go of it.
   */
  #carry(payload: Uint8Array, from: SimSocket, to: Endpoint, path: Path): void {
    const [minMs, maxMs] = path.delayMs;
    const number = this.counts.sent;
    this.#clock.setTimer(minMs + this.#random.next() * (maxMs - minMs), () => {
      const receiver = this.#sockets.get(to.address)?.get(to.port);
      if (receiver) this.counts.delivered += 1;
      else this.counts.unheard += 1;
      if (number < path.newestArrived) this.counts.overtaken += 1;
      else path.newestArrived = number;
      receiver?.deliver(payload, from.local);
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
    const [usualMinMs, usualMaxMs] = USUAL_DELAY_MS;
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
  readonly #network: SimNetwork;
  #listener: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  #closed = false;

  constructor(network: SimNetwork, node: NetworkNode, local: Endpoint) {
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
