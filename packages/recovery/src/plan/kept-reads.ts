import type { Clock, Cloud } from '@understudy/shared';

interface Kept {
  readonly answer: unknown;
  readonly readAtMs: number;
}

/** Answers kept at once, so that no mistake makes it grow without end; a plan takes some twenty. */
const ANSWERS_MAX = 200;

/**
 * A cloud of which answers to reads (`describe…`) are kept for a while, so that what takes many
 * reads need not begin anew when one of them fails: asked the same again, what was answered is not
 * asked of EC2. Failures are not kept. Everything else goes through.
 *
 * What comes of it rests on answers up to `maxAgeMs` old, instead of seconds: of use only where
 * what is decided is asked again before it counts.
 */
export class KeptReads {
  readonly cloud: Cloud;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #kept = new Map<string, Kept>();

  constructor(cloud: Cloud, clock: Clock, maxAgeMs: number) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.cloud = new Proxy(cloud, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        if (typeof name !== 'string' || !name.startsWith('describe')) return method.bind(target);
        return (...args: unknown[]) => this.#read(`${name} ${JSON.stringify(args)}`, () => method.apply(target, args));
      },
    });
  }

  async #read(key: string, ask: () => Promise<unknown>): Promise<unknown> {
    const known = this.#kept.get(key);
    const askedAtMs = this.#clock.monotonicMs();
    if (known && askedAtMs - known.readAtMs < this.#maxAgeMs) return known.answer;
    const answer = await ask();
    if (this.#kept.size >= ANSWERS_MAX) this.#kept.clear();
    // Dated by the question: the answer may be older than its arrival.
    this.#kept.set(key, { answer, readAtMs: askedAtMs });
    return answer;
  }
}

/**
 * One {@link KeptReads} per instance, forgotten when all of it was read. Bounded by those that are
 * being read.
 */
export class KeptReadsOf {
  readonly #cloud: Cloud;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #byInstance = new Map<string, KeptReads>();

  constructor(cloud: Cloud, clock: Clock, maxAgeMs: number) {
    this.#cloud = cloud;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** What `work` read of the instance is kept if it fails, and used when it is done again. */
  async use<T>(instanceId: string, work: (cloud: Cloud) => Promise<T>): Promise<T> {
    const kept = this.#byInstance.get(instanceId) ?? new KeptReads(this.#cloud, this.#clock, this.#maxAgeMs);
    if (this.#byInstance.size >= ANSWERS_MAX) this.#byInstance.clear();
    this.#byInstance.set(instanceId, kept);
    const result = await work(kept.cloud);
    this.#byInstance.delete(instanceId);
    return result;
  }
}
