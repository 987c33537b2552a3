import type { Clock } from './ports/clock.ts';
import { ERROR_TABLE, errorText, isOperationError } from './errors.ts';
import type { Log } from './ports/log.ts';
import type { MonotonicMs } from './units.ts';

/**
 * A failure that goes on is logged again this often: rarely enough to be read, often enough not to
 * scroll away.
 */
const SAY_AGAIN_MS = 60_000;

/**
 * Something that is tried again and again. Its first failure is logged at once, then again each
 * minute with how often and for how long, and its end once. It is for every loop that would
 * otherwise log each failure, or the first one only.
 */
export class RecurringFailure {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #event: string;
  readonly #level: 'warn' | 'error' | null;
  #count = 0;
  #sinceMs: MonotonicMs | null = null;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  /**
   * `event` names the log lines; `<event>.over` is logged when it works again. `level` is by
   * default the one each failure deserves ({@link levelOf}).
   */
  constructor(options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly event: string;
    readonly level?: 'warn' | 'error';
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#event = options.event;
    this.#level = options.level ?? null;
  }

  /** Failures without a success in between. */
  get count(): number {
    return this.#count;
  }

  failed(error: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
    const nowMs = this.#clock.monotonicMs();
    this.#count += 1;
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#saidAtMs < SAY_AGAIN_MS) return;
    this.#saidAtMs = nowMs;
    const told = isOperationError(error) ? { code: error.code, remedy: error.explain() } : {};
    const failingForMs = Math.round(nowMs - this.#sinceMs);
    this.#log[this.#level ?? levelOf(error)](this.#event, {
      ...fields,
      error: errorText(error),
      ...told,
      failures: this.#count,
      failingForMs,
    });
  }

  worked(): void {
    if (this.#sinceMs === null) return;
    const failedForMs = Math.round(this.#clock.monotonicMs() - this.#sinceMs);
    this.#log.info(`${this.#event}.over`, { failures: this.#count, failedForMs });
    this.#count = 0;
    this.#sinceMs = null;
    this.#saidAtMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * Error for a bug, or for what stays refused until a person acts. Warning for what trying again, or
 * another process, may cure (docs/log-events.md).
 */
export function levelOf(error: unknown): 'warn' | 'error' {
  if (!isOperationError(error)) return 'error';
  if (error.upstreamCode === 'LEASE_NOT_FOUND') return 'warn';
  const { retry, remedy } = ERROR_TABLE[error.code];
  return retry === 'terminal' && remedy !== 'none' ? 'error' : 'warn';
}
