import type { Clock, HookOutcome, NamedHook, RunHook } from '@understudy/shared';
import { Histogram, type Registry } from 'prom-client';

/** From milliseconds (a webhook) to the longest time a policy may give a hook. */
const BUCKETS_SECONDS = [0.1, 0.3, 1, 3, 10, 30, 60, 300, 600];

/** `late`: it was ended for its time; `left`: because this process leads no more. */
type Ended = 'passed' | 'refused' | 'late' | 'left' | 'broken';

/** Counts and times the hooks that this process runs. */
export class HookRuns {
  readonly #seconds: Histogram<'at' | 'outcome'>;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: 'understudy_hook_seconds',
      help: 'Runs of hooks by this process, by moment and outcome (passed, refused, late, left, broken), with their duration',
      labelNames: ['at', 'outcome'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
  }

  /** The same runner, counted. */
  counting(runHook: RunHook, clock: Clock): RunHook {
    return async (hook, message, signal) => {
      const beganAtMs = clock.monotonicMs();
      const note = (outcome: (tookMs: number) => Ended): void => {
        const tookMs = clock.monotonicMs() - beganAtMs;
        this.#seconds.observe({ at: hook.at, outcome: outcome(tookMs) }, tookMs / 1_000);
      };
      try {
        const outcome = await runHook(hook, message, signal);
        note((tookMs) => endedAs(outcome, hook, { tookMs, aborted: signal.aborted }));
        return outcome;
      } catch (error) {
        note(() => 'broken');
        throw error;
      }
    };
  }
}

function endedAs(
  { kind }: HookOutcome,
  { timeoutMs }: NamedHook,
  { tookMs, aborted }: { readonly tookMs: number; readonly aborted: boolean },
): Ended {
  if (kind === 'passed') return 'passed';
  if (aborted) return 'left';
  return tookMs >= timeoutMs ? 'late' : 'refused';
}
