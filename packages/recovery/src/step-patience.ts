import { backoffMs, type HoldReason, type OperationError, retryAdvice } from '@understudy/shared';
import { FailureSeries, type Series, seriesText } from './failure-series.ts';
import type { Run } from './run.ts';

/** Refusals are met at the usual pace for so long; then the pauses grow further. */
const BRISK_FOR_MS = 60_000;

const isoOf = (wallMs: number): string => new Date(wallMs).toISOString();

/** A shortage has its own reason; everything else is EC2 not doing what it is asked. */
const reasonOf = ({ refusal }: Series): HoldReason =>
  refusal === 'capacity' || refusal === 'quota' ? 'NoCapacity' : 'CloudUnavailable';

/**
 * What a step does about calls that fail one after the other: counts them, shows them in the
 * activity, pauses between them with growing backoff, and shows a hold when it lasts, while the
 * step goes on. The hold goes when it works again.
 */
export class StepPatience {
  readonly #run: Run;
  readonly #step: string;
  readonly #lasting: boolean;
  /** Reads, and calls that change something: a read that works says nothing about the other. */
  readonly looks: FailureSeries;
  readonly calls: FailureSeries;

  /**
   * `lasting`: it may go on for hours, so its pauses grow further than those of a step with a limit
   * of minutes.
   */
  constructor(run: Run, step: string, lasting: boolean) {
    this.#run = run;
    this.#step = step;
    this.#lasting = lasting;
    const options = { log: run.parts.log, step, nowMs: () => run.nowMs(), wallMs: () => run.wallMs() };
    this.looks = new FailureSeries(options);
    this.calls = new FailureSeries(options);
  }

  /** What fails now, in words; null: nothing. */
  text(): string | null {
    const series = this.looks.current ?? this.calls.current;
    return series && seriesText(series);
  }

  /** Notes it, shows it and pauses. */
  async failedLook(error: OperationError): Promise<void> {
    const series = this.looks.note(error);
    await this.#pause(this.looks, series, this.#run.settings.backoffCapMs);
  }

  /** As {@link failedLook}, for a call that was refused or whose outcome is unknown. */
  async pauseAfterCall(series: Series): Promise<void> {
    const { backoffCapMs, refusedPauseMaxMs } = this.#run.settings;
    const lasting = this.#lasting && this.#run.nowMs() - series.sinceMs > BRISK_FOR_MS;
    await this.#pause(this.calls, series, lasting ? refusedPauseMaxMs : backoffCapMs);
  }

  async #pause(of: FailureSeries, series: Series, capMs: number): Promise<void> {
    const run = this.#run;
    const range = { baseMs: run.settings.backoffBaseMs, capMs };
    const pauseMs = backoffMs(series.count, range, run.parts.random.next());
    run.say(
      this.#step,
      `${series.action ?? 'a call to EC2'} fails (${series.code}, ${series.count} times): trying again`,
    );
    await this.wait(pauseMs, of, capMs);
  }

  /** Waits while calls of this step fail, visibly; ended early by {@link Run.nudge}. */
  async wait(forMs: number, of: FailureSeries = this.calls, everyMs = forMs): Promise<void> {
    const run = this.#run;
    this.show(forMs);
    const series = of.current;
    if (series && run.nowMs() - series.sinceMs >= run.policy.recover.holdFailingAfterMs)
      await this.#hold(series, everyMs);
    if ((await run.nap(forMs)) === 'nudged') of.end();
  }

  /** Puts what fails into the activity. `nextTryInMs`: absent while it is being tried. */
  show(nextTryInMs?: number): void {
    const nextTryWallMs = nextTryInMs === undefined ? null : this.#run.wallMs() + nextTryInMs;
    this.#run.sayFailing(this.#step, this.looks.shown(nextTryWallMs) ?? this.calls.shown(nextTryWallMs));
  }

  async #hold(series: Series, everyMs: number): Promise<void> {
    const run = this.#run;
    const isCall = series === this.calls.current;
    const untilWallMs = isCall ? series.sinceWallMs + run.policy.recover.retryRefusedForMs : null;
    const until = untilWallMs === null ? '' : ` until ${isoOf(untilWallMs)} (recover.retryRefusedForMs)`;
    const text = `${this.#step} fails since ${isoOf(series.sinceWallMs)}: ${seriesText(series)}. It is tried again every ${Math.ceil(
      everyMs / 1_000,
    )} s at the longest${until}, and goes on by itself when it works. ${retryAdvice(run.record.member)}`;
    await run.standing.want(this.#step, {
      key: `${this.#step} ${series.action ?? ''} ${series.code}`,
      reason: reasonOf(series),
      ...{ text, sinceWallMs: series.sinceWallMs, untilWallMs },
    });
  }

  /**
   * Nothing of this step fails any more. `true`: its hold has to be removed, by a write of the
   * journal.
   */
  settled(): boolean {
    this.looks.end();
    this.calls.end();
    this.show();
    return this.#run.standing.drop(this.#step);
  }

  /** A look worked. `true`: as {@link settled}. */
  lookWorked(): boolean {
    if (this.looks.current === null) return false;
    this.looks.end();
    this.show();
    return this.calls.current === null && this.#run.standing.drop(this.#step);
  }
}
