import { laterBy, type MonotonicMs } from '@understudy/shared';
import type { Deed } from './cloud-event.ts';

/** CloudTrail is minutes late at times, and a crawl comes every few minutes. */
const KEPT_MS = 3_600_000;
const KEPT_MAX = 500;

interface HeardDeed {
  readonly instanceId: string;
  readonly deed: Deed;
  readonly untilMs: MonotonicMs;
}

/**
 * Who was heard to change an instance in the last hour. It is a claim, for people: nothing is
 * decided by it.
 */
export class HeardDeeds {
  #heard: readonly HeardDeed[] = [];

  note(instanceIds: readonly string[], deed: Deed, nowMs: MonotonicMs): void {
    const untilMs = laterBy(nowMs, KEPT_MS);
    const others = this.#heard.filter((one) => one.deed.eventId !== deed.eventId && one.untilMs > nowMs);
    this.#heard = [...others, ...instanceIds.map((instanceId) => ({ instanceId, deed, untilMs }))].slice(-KEPT_MAX);
  }

  /** Each instance with who did what to it, the oldest first. */
  all(): readonly { readonly id: string; readonly atWallMs: number; readonly by: string }[] {
    return this.#heard.map(({ instanceId: id, deed: { atWallMs, by, action } }) => ({
      ...{ id, atWallMs, by: `${by}, by ${action}` },
    }));
  }
}
