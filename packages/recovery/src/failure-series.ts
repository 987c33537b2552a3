import { errorText, type FailingCall, type Log, type OperationError } from '@understudy/shared';
import type { RefusalClass } from './core/refusal-class.ts';
import { refusalClassOf } from './core/refusals.ts';

/**
 * The same failure, ended and begun again, is not told anew within this time: at half of all calls
 * failing that would be all there is in the log.
 */
const TOLD_AGAIN_AFTER_MS = 60_000;
const TEXT_MAX = 500;

/** Failures of one kind of call without a success in between. */
export interface Series {
  readonly action: string | null;
  readonly code: string;
  readonly httpStatus: number | null;
  readonly text: string;
  readonly refusal: RefusalClass;
  readonly count: number;
  /** Monotonic. */
  readonly sinceMs: number;
  readonly sinceWallMs: number;
}

export interface FailureSeriesOptions {
  readonly log: Log;
  readonly step: string;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

const keyOf = ({ action, code, httpStatus }: Series): string => `${action ?? ''} ${code} ${httpStatus ?? ''}`;

/** What fails, how, and as what EC2 answers it. */
export const seriesText = ({ action, code, httpStatus, text }: Series): string => {
  const how = httpStatus === null ? 'no answer' : `HTTP ${httpStatus}`;
  return `${action ?? 'a call'}: ${code} (${how}): ${text}`;
};

/**
 * Counts failures that follow each other, so that they are told when they begin, change and end,
 * and not each time: `recovery.step.failing` and `recovery.step.works_again`.
 */
export class FailureSeries {
  readonly #options: FailureSeriesOptions;
  #current: Series | null = null;
  /** When each was told last, by key. EC2's codes are few; bounded all the same. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(options: FailureSeriesOptions) {
    this.#options = options;
  }

  get current(): Series | null {
    return this.#current;
  }

  /** One failure more. */
  note(error: OperationError): Series {
    const before = this.#current;
    const nowMs = this.#options.nowMs();
    const series: Series = {
      action: error.action ?? null,
      code: error.upstreamCode ?? error.code,
      httpStatus: error.httpStatus ?? null,
      text: errorText(error).slice(0, TEXT_MAX),
      refusal: refusalClassOf(error),
      count: (before?.count ?? 0) + 1,
      sinceMs: before?.sinceMs ?? nowMs,
      sinceWallMs: before?.sinceWallMs ?? this.#options.wallMs(),
    };
    this.#current = series;
    if (before === null || keyOf(before) !== keyOf(series)) this.#tell(series, nowMs);
    return series;
  }

  #tell(series: Series, nowMs: number): void {
    const key = keyOf(series);
    const toldAtMs = this.#toldAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - toldAtMs < TOLD_AGAIN_AFTER_MS) return;
    if (this.#toldAtMs.size >= 50) this.#toldAtMs.clear();
    this.#toldAtMs.set(key, nowMs);
    const { action, code, httpStatus, text, count } = series;
    this.#options.log.warn('recovery.step.failing', {
      step: this.#options.step,
      action,
      code,
      httpStatus,
      count,
      error: text,
    });
  }

  /** It works (again). */
  end(): void {
    const ended = this.#current;
    this.#current = null;
    if (ended === null || ended.count < 2) return;
    const { action, code, count } = ended;
    const forMs = Math.round(this.#options.nowMs() - ended.sinceMs);
    this.#options.log.info('recovery.step.works_again', { step: this.#options.step, action, code, count, forMs });
  }

  /** As the API shows it. */
  shown(nextTryWallMs: number | null): FailingCall | null {
    if (this.#current === null) return null;
    const { action, code, httpStatus, text, count, sinceWallMs } = this.#current;
    return { action, code, httpStatus, text, count, sinceWallMs, nextTryWallMs };
  }
}
