import { type Clock, type Endpoint, errorText, type Log, type Timer } from '@understudy/shared';
import { type HostPort, parseHostPort } from './host-port.ts';

const RESOLVE_EVERY_MS = 30_000;
/** A lookup that takes longer is left behind, and its name is asked again in the next round. */
const LOOKUP_LIMIT_MS = 5_000;
/** Made once: an abort without a reason makes an exception with a stack each time. */
const ANSWERED = new Error('answered');

interface Target extends HostPort {
  readonly name: string;
  endpoint: Endpoint | null;
  resolving: boolean;
}

interface TargetParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly lookup: (host: string) => Promise<string>;
}

/**
 * Addresses of the coordinators. Names are resolved at start and every 30 s, one at a time
 * (getaddrinfo occupies a thread of the pool). A name that cannot be resolved keeps its last
 * address and does not disturb the others.
 */
export class CoordinatorTargets {
  readonly #parts: TargetParts;
  readonly #targets: readonly Target[];
  #timer: Timer | null = null;
  #stopped = false;

  constructor(coordinators: readonly string[], parts: TargetParts) {
    this.#parts = parts;
    this.#targets = coordinators.flatMap((name) => {
      const parsed = parseHostPort(name);
      return parsed ? [{ ...parsed, name, endpoint: null, resolving: false }] : [];
    });
  }

  get count(): number {
    return this.#targets.length;
  }

  /** Endpoints in configured order. Null: not resolved yet. */
  endpoints(): readonly (Endpoint | null)[] {
    return this.#targets.map((target) => target.endpoint);
  }

  name(index: number): string {
    return this.#targets[index]?.name ?? '?';
  }

  /** Index of the coordinator that sends from there. -1: none of them does. */
  indexOf(from: Endpoint): number {
    return this.#targets.findIndex(
      ({ endpoint }) => endpoint !== null && endpoint.port === from.port && endpoint.address === from.address,
    );
  }

  /**
   * Resolves once (addresses at once, names as far as they answer in time), then keeps resolving.
   */
  async start(): Promise<void> {
    await this.#round();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.setTimer(RESOLVE_EVERY_MS, () => {
      void this.#round().then(() => this.#schedule());
    });
  }

  async #round(): Promise<void> {
    for (const target of this.#targets) if (!target.resolving && !this.#stopped) await this.#resolve(target);
  }

  async #resolve(target: Target): Promise<void> {
    const { clock, lookup } = this.#parts;
    target.resolving = true;
    const limit = new AbortController();
    const found = lookup(target.host)
      .then((address) => this.#found(target, address))
      .catch((error: unknown) => {
        this.#parts.log.warn('coordinator.unresolved', { coordinator: target.name, error: errorText(error) });
      })
      .finally(() => {
        target.resolving = false;
        limit.abort(ANSWERED);
      });
    await Promise.race([found, clock.sleep(LOOKUP_LIMIT_MS, limit.signal).catch(() => undefined)]);
  }

  #found(target: Target, address: string): void {
    if (target.endpoint?.address === address) return;
    target.endpoint = { address, port: target.port };
    this.#parts.log.info('coordinator.resolved', { coordinator: target.name, address });
  }
}
