/**
 * Moments carry their clock in the type, so that a wall time can never be compared with a monotonic
 * one. Durations are plain numbers whose name ends in `Ms`.
 */
declare const clockOf: unique symbol;

/**
 * Milliseconds on this process's monotonic clock. They mean nothing in another process. Used for
 * every deadline.
 */
export type MonotonicMs = number & { readonly [clockOf]: 'monotonic' };

/**
 * Milliseconds since the Unix epoch, for people, records and logs. Never use them for deadlines,
 * because this clock can step.
 */
export type WallMs = number & { readonly [clockOf]: 'wall' };

export const monotonicMs = (value: number): MonotonicMs => value as MonotonicMs;
export const wallMs = (value: number): WallMs => value as WallMs;

/** `moment + durationMs` on the same clock. */
export const laterBy = <T extends MonotonicMs | WallMs>(moment: T, durationMs: number): T => (moment + durationMs) as T;
