import type { Random } from '@understudy/shared';
import type { CloudSim } from '../cloud-sim.ts';
import type { ImdsFaults } from './imds-content.ts';
import { ImdsListener } from './imds-listener.ts';

const LISTENERS_MAX = 2_000;

/**
 * The metadata services of all running instances: one listener each, opened at boot, closed when
 * the instance is down.
 */
export class ImdsEndpoints {
  readonly #sim: CloudSim;
  readonly #random: Random;
  readonly #host: string;
  readonly #open = new Map<string, { readonly listener: ImdsListener; readonly port: Promise<number> }>();
  readonly #ports = new Map<string, number>();

  constructor(sim: CloudSim, random: Random, host = '127.0.0.1') {
    this.#sim = sim;
    this.#random = random;
    this.#host = host;
  }

  /**
   * URL at which an instance finds its metadata service, by the port {@link open} resolved with.
   */
  url(port: number): string {
    return `http://${this.#host}:${port}/`;
  }

  /** Idempotent. Resolves with the port. */
  async open(instanceId: string): Promise<number> {
    const known = this.#open.get(instanceId);
    if (known) return known.port;
    if (this.#open.size >= LISTENERS_MAX) throw new Error(`more than ${LISTENERS_MAX} metadata listeners`);
    const parts = { sim: this.#sim, clock: this.#sim.clock, random: this.#random, host: this.#host };
    const listener = new ImdsListener({ ...parts, instanceId });
    const port = listener.listen();
    this.#open.set(instanceId, { listener, port });
    this.#ports.set(instanceId, await port);
    return port;
  }

  async shut(instanceId: string): Promise<void> {
    const known = this.#open.get(instanceId);
    if (!known) return;
    this.#open.delete(instanceId);
    this.#ports.delete(instanceId);
    await known.port.catch(() => 0);
    await known.listener.close();
  }

  /** False when the instance has no listener. */
  setFaults(instanceId: string, faults: ImdsFaults): boolean {
    const known = this.#open.get(instanceId);
    if (known) known.listener.faults = faults;
    return known !== undefined;
  }

  ports(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#ports);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.shut(id)));
  }
}
