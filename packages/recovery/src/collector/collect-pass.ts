import {
  type Clock,
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

/** An open recovery is planned with it: it goes once that recovery has ended. */
export const NEEDED: Refused = { code: 'Needed', text: 'an open recovery is planned with it' };

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
  readonly clock: Clock;
  /** What open recoveries are planned with, by etcd, now. @throws STORE_UNAVAILABLE */
  readonly readNeeded: () => Promise<ReadonlySet<string>>;
}

/** How old a look at what is needed may be when the removal it speaks for leaves, ms. */
const LOOK_GOOD_FOR_MS = 5_000;

type Call = (cloud: Cloud, options: CloudCallOptions) => Promise<void>;

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
   * Removes what a recovery may be planned with, a snapshot say. **S** (S31) Intents are read right
   * before: one that names it has come meanwhile, perhaps, and then it is {@link NEEDED}. A call
   * that waits for its turn for longer than that look is good for is put off.
   * @throws as {@link effect}, and STORE_UNAVAILABLE
   */
  async removal(id: string, call: Call): Promise<EffectOutcome> {
    const { clock, readNeeded } = this.#limits;
    if (this.#isSpent) return 'put-off';
    const lookedAtMs = clock.monotonicMs();
    if ((await readNeeded()).has(id)) return NEEDED;
    return await this.effect(call, () => clock.monotonicMs() - lookedAtMs <= LOOK_GOOD_FOR_MS);
  }

  /**
   * One idempotent call: deadline, one attempt. `put-off`: this pass has made as many calls as it
   * may, or `isGood` said false by the time the call's turn came. @throws LEASE_LOST, and what is
   * no answer.
   */
  async effect(call: Call, isGood: () => boolean = () => true): Promise<EffectOutcome> {
    const { term } = this;
    let tooLate = false;
    const holds = () => term.holdsFor(this.#limits.callTimeoutMs);
    const mayStart = () => {
      tooLate = !isGood();
      return !tooLate && holds();
    };
    if (this.#isSpent) return 'put-off';
    if (!holds()) throw new OperationError('LEASE_LOST', 'the term does not hold long enough for another call');
    this.#effects += 1;
    try {
      await call(this.#cloud, { signal: term.signal, mayStart, urgency: 'chore' });
      return 'done';
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (tooLate && !term.signal.aborted) return 'put-off';
      if (error.code === 'LEASE_LOST') throw error;
      if (error.code === 'CLOUD_NOT_FOUND') return 'not-found';
      return { code: error.upstreamCode ?? error.code, text: error.message };
    }
  }

  get #isSpent(): boolean {
    return this.#effects >= this.#limits.effectsMax;
  }

  report(trimmed: number): CollectReport {
    const { removed, kept, looseVolumes, violations, choresDone } = this;
    return { removed, kept, looseVolumes, violations, choresDone, trimmed };
  }
}
