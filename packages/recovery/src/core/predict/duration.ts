/** How long something takes: as it usually goes, and as it goes on a bad day. */
export interface Duration {
  readonly typicalMs: number;
  readonly slowMs: number;
}

export const NO_TIME: Duration = { typicalMs: 0, slowMs: 0 };

/** One after the other. */
export const inTurn = (...parts: readonly Duration[]): Duration => ({
  typicalMs: parts.reduce((sum, one) => sum + one.typicalMs, 0),
  slowMs: parts.reduce((sum, one) => sum + one.slowMs, 0),
});

/** Side by side. */
export const sideBySide = (...parts: readonly Duration[]): Duration => ({
  typicalMs: Math.max(0, ...parts.map((one) => one.typicalMs)),
  slowMs: Math.max(0, ...parts.map((one) => one.slowMs)),
});

export const always = (ms: number): Duration => ({ typicalMs: ms, slowMs: ms });

/** `13 s`, `5.5 min`, `2.1 h`: for people, as exact as such a prediction is. */
export function roughly(ms: number): string {
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 90 * 60_000) return `${rounded(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${rounded(ms / 3_600_000)} h`;
  return `${rounded(ms / 86_400_000)} d`;
}

const rounded = (value: number): string => String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
