import {
  type Cloud,
  type CloudCallOptions,
  isOperationError,
  type Leftover,
  OperationError,
  type Term,
} from '@understudy/shared';

/** Why something that is due was not done. */
export interface Refused {
  readonly code: string;
  readonly text: string;
}

export type EffectOutcome = 'done' | 'not-found' | 'put-off' | Refused;

export interface CollectReport {
  readonly removed: readonly { readonly kind: Leftover['kind']; readonly id: string }[];
  /** Due, but not removed, with the reason. */
  readonly kept: readonly { readonly kind: Leftover['kind']; readonly id: string; readonly why: string }[];
  /**
   * Disks of finished recoveries that hang on nothing (an attempt that failed, or a disk taken
   * off). Reported, never deleted: they are data.
   */
  readonly looseVolumes: readonly string[];
  /** What must not be: launched instances nobody accounts for, history that cannot be read. */
  readonly violations: readonly string[];
  /** Chores of closed recoveries that were done in this pass, in words. */
  readonly choresDone: readonly string[];
  readonly trimmed: number;
}

export interface PassLimits {
  /** What the term must still hold for before each call. */
  readonly callTimeoutMs: number;
  readonly effectsMax: number;
}

/** One pass of the collector: what it has done so far, and the discipline of its calls. */
export class CollectPass {
  readonly term: Term;
  readonly removed: { kind: Leftover['kind']; id: string }[] = [];
  readonly kept: { kind: Leftover['kind']; id: string; why: string }[] = [];
  readonly looseVolumes: string[] = [];
  readonly violations: string[] = [];
  readonly choresDone: string[] = [];
  readonly #cloud: Cloud;
  readonly #limits: PassLimits;
  #effects = 0;

  constructor(cloud: Cloud, term: Term, limits: PassLimits) {
    this.#cloud = cloud;
    this.term = term;
    this.#limits = limits;
  }

  /**
   * One idempotent call: deadline, one attempt. `put-off`: this pass has made as many calls as it
   * may. @throws LEASE_LOST, and what is no answer.
   */
  async effect(call: (cloud: Cloud, options: CloudCallOptions) => Promise<void>): Promise<EffectOutcome> {
    const { term } = this;
    const mayStart = () => term.holdsFor(this.#limits.callTimeoutMs);
    if (this.#effects >= this.#limits.effectsMax) return 'put-off';
    if (!mayStart()) throw new OperationError('LEASE_LOST', 'the term does not hold long enough for another call');
    this.#effects += 1;
    try {
      await call(this.#cloud, { signal: term.signal, mayStart, urgency: 'chore' });
      return 'done';
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
      if (error.code === 'CLOUD_NOT_FOUND') return 'not-found';
      return { code: error.upstreamCode ?? error.code, text: error.message };
    }
  }

  report(trimmed: number): CollectReport {
    const { removed, kept, looseVolumes, violations, choresDone } = this;
    return { removed, kept, looseVolumes, violations, choresDone, trimmed };
  }
}
