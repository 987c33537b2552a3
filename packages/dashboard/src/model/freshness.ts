import type { FleetView } from '@understudy/shared/browser';
import { spanText } from './times.ts';

/** Updates come every second. After this long without one, what is shown is old. */
export const OLD_AFTER_MS = 3_500;

export interface Freshness {
  /** Null: current. */
  readonly ageMs: number | null;
  /** Null: nothing to say. */
  readonly text: string | null;
  /** `gone`: no answer; `etcd`: it answers, and does not know what is in etcd now. */
  readonly kind: 'current' | 'gone' | 'etcd';
}

const CURRENT: Freshness = { ageMs: null, text: null, kind: 'current' };

/**
 * How far what is shown can be relied on. `toldAtMs`: when the last update came, null: none did.
 */
export function freshness(view: FleetView | null, toldAtMs: number | null, nowMs: number): Freshness {
  if (view === null || toldAtMs === null) return CURRENT;
  const ageMs = nowMs - toldAtMs;
  if (ageMs > OLD_AFTER_MS) {
    const text = `What you see is ${spanText(ageMs)} old: ${view.coordinatorId} does not answer. Trying again.`;
    return { ageMs, text, kind: 'gone' };
  }
  if (view.store.fresh) return CURRENT;
  const since = view.store.lastContactAgoMs;
  const contact = since === null ? 'has never reached etcd' : `has not reached etcd for ${spanText(since)}`;
  const text = `${view.coordinatorId} ${contact}: verdicts, holds and recoveries are as of then.`;
  return { ageMs: since, text, kind: 'etcd' };
}
