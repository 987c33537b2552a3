import type { Clock, WhatIfScenario, WhatIfView } from '@understudy/shared';
import type { WhatIfSnapshot } from './snapshot.ts';
import { unknownIn, whatIf } from './what-if.ts';

/** A question holds the loop up for so long at a time, ms. */
const SLICE_MS = 20;
/** Then the answer is what was decided so far, ms. A follower waits 6 s for it. */
const TOTAL_MS = 5_000;

export type WhatIfAnswer =
  | { readonly kind: 'view'; readonly view: WhatIfView }
  /** Nothing has this name. */
  | { readonly kind: 'unknown'; readonly text: string }
  /** Another question is being answered: one at a time. */
  | { readonly kind: 'busy' }
  /** The caller has left. */
  | { readonly kind: 'left' };

/**
 * Answers one question at a time, by slices, so that the leader gets its turn (a lease to renew)
 * between two of them.
 */
export class WhatIfQuestions {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  #isAsked = false;

  constructor(clock: Pick<Clock, 'monotonicMs' | 'sleep'>) {
    this.#clock = clock;
  }

  /** `now` is asked for once. `signal`: the caller has left, and nobody reads the answer. */
  async answer(
    now: () => WhatIfSnapshot,
    scenario: WhatIfScenario,
    signal: AbortSignal | null = null,
  ): Promise<WhatIfAnswer> {
    if (this.#isAsked) return { kind: 'busy' };
    this.#isAsked = true;
    try {
      const snapshot = now();
      const unknown = unknownIn(snapshot, scenario);
      if (unknown !== null) return { kind: 'unknown', text: unknown };
      const view = await this.#inSlices(whatIf(snapshot, scenario), signal);
      return view === null ? { kind: 'left' } : { kind: 'view', view };
    } finally {
      this.#isAsked = false;
    }
  }

  async #inSlices(steps: Generator<void, WhatIfView, boolean>, signal: AbortSignal | null): Promise<WhatIfView | null> {
    const clock = this.#clock;
    const fromMs = clock.monotonicMs();
    for (let sliceFromMs = fromMs; ; ) {
      const nowMs = clock.monotonicMs();
      if (nowMs - sliceFromMs >= SLICE_MS) {
        await clock.sleep(SLICE_MS);
        if (signal?.aborted) return null;
        sliceFromMs = clock.monotonicMs();
      }
      const step = steps.next(nowMs - fromMs >= TOTAL_MS);
      if (step.done) return step.value;
    }
  }
}
