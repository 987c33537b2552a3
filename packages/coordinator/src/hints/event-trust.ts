import { durationText, type MonotonicMs, type Problem, problemOf } from '@understudy/shared';

/** A change that we saw is told by an event within this time, or events are not relied on. */
const TOLD_WITHIN_MS = 60_000;
/** A message that was in the queue for so long before it came is late. */
const LATE_MS = 60_000;
/** After a late message events are relied on again once none was late for so long. */
const PUNCTUAL_AFTER_MS = 300_000;
const CHANGES_MAX = 1_024;

const keyOf = (instanceId: string, state: string): string => `${instanceId} is ${state}`;

/**
 * Whether events come: only then are states asked for less often. A silent queue proves nothing.
 * What shows that it should not be silent is a change of state that was seen and not told.
 */
export class EventTrust {
  readonly #changes = new Map<string, MonotonicMs>();
  readonly #told = new Map<string, MonotonicMs>();
  /** The queue has answered when it was asked last. */
  isReachable = false;
  #unreachable: string | null = null;
  #untold: { readonly change: string; readonly sinceMs: MonotonicMs } | null = null;
  #lateAtMs: MonotonicMs | null = null;
  #lateByMs = 0;

  /** A term begins: nothing is relied on before the queue has answered. */
  clear(): void {
    this.#changes.clear();
    this.#told.clear();
    this.isReachable = false;
    this.#unreachable = null;
    this.#untold = null;
    this.#lateAtMs = null;
  }

  queueAnswered(): void {
    this.isReachable = true;
    this.#unreachable = null;
  }

  queueFailed(why: string): void {
    this.isReachable = false;
    this.#unreachable = why;
  }

  /** EC2 showed another state than before. */
  changed(instanceId: string, state: string, nowMs: MonotonicMs): void {
    if (!this.isReachable) return;
    const change = keyOf(instanceId, state);
    const toldAtMs = this.#told.get(change);
    if (toldAtMs !== undefined && nowMs - toldAtMs < TOLD_WITHIN_MS) this.#untold = null;
    else if (this.#changes.size < CHANGES_MAX && !this.#changes.has(change)) this.#changes.set(change, nowMs);
  }

  /** An event told that an instance came into a state. */
  told(instanceId: string, state: string, nowMs: MonotonicMs): void {
    const change = keyOf(instanceId, state);
    const oldest = this.#told.keys().next().value;
    if (this.#told.size >= CHANGES_MAX && oldest !== undefined) this.#told.delete(oldest);
    this.#told.delete(change);
    this.#told.set(change, nowMs);
    // Only what EC2 has shown, too, says that events come: anything can be made up.
    if (this.#changes.delete(change) || this.#untold?.change === change) this.#untold = null;
  }

  /** A message came that had been in the queue for so long. */
  aged(ageMs: number, nowMs: MonotonicMs): void {
    if (ageMs < LATE_MS) return;
    this.#lateAtMs = nowMs;
    this.#lateByMs = ageMs;
  }

  /** States may be asked for less often now. */
  isRelied(nowMs: MonotonicMs): boolean {
    this.#weigh(nowMs);
    return this.isReachable && this.#untold === null && this.#lateAtMs === null;
  }

  problems(nowMs: MonotonicMs): readonly Problem[] {
    this.#weigh(nowMs);
    const untold = this.#untold;
    return [
      ...(this.#unreachable === null
        ? []
        : [problemOf('EVENTS_UNREACHABLE', `the queue of events cannot be read: ${this.#unreachable}`)]),
      ...(untold === null
        ? []
        : [
            problemOf(
              'EVENTS_MISSING',
              `${untold.change} since ${durationText(nowMs - untold.sinceMs)}, and no event told it`,
            ),
          ]),
      ...(this.#lateAtMs === null
        ? []
        : [problemOf('EVENTS_LATE', `an event was in the queue for ${durationText(this.#lateByMs)} before it came`)]),
    ];
  }

  #weigh(nowMs: MonotonicMs): void {
    for (const [change, sinceMs] of this.#changes) {
      if (nowMs - sinceMs < TOLD_WITHIN_MS) continue;
      this.#changes.delete(change);
      this.#untold ??= { change, sinceMs };
    }
    if (this.#lateAtMs !== null && nowMs - this.#lateAtMs >= PUNCTUAL_AFTER_MS) this.#lateAtMs = null;
  }
}
