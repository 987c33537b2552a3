/**
 * How many letters must be inserted, removed, changed or swapped with their neighbour to turn one
 * text into the other.
 */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i += 1) {
    const now = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const change = (last[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change;
      now[j] = Math.min(change, swap, (last[j] ?? 0) + 1, (now[j - 1] ?? 0) + 1);
    }
    before = last;
    last = now;
  }
  return last[to.length] ?? 0;
}

/** Longer names are skipped, because the work grows with the square. */
const LENGTH_MAX = 128;
/** At most this many candidates are compared: a hint is not worth more time. */
const CANDIDATES_MAX = 10_000;

/**
 * The names a mistyped one may have meant, nearest first, at most three. They are within a third of
 * its length, or end with it (`one` for `db/one`).
 */
export function nearTo(typed: string, names: readonly string[], atMost = 3): readonly string[] {
  if (typed.length > LENGTH_MAX) return [];
  const limit = Math.max(1, Math.floor(typed.length / 3));
  const lower = typed.toLowerCase();
  return names
    .slice(0, CANDIDATES_MAX)
    .filter((name) => Math.abs(name.length - typed.length) <= limit || name.toLowerCase().endsWith(`/${lower}`))
    .map((name) => {
      const isEnd = lower.length > 1 && name.toLowerCase().endsWith(`/${lower}`);
      return { name, distance: isEnd ? 0.5 : editDistance(lower, name.toLowerCase()) };
    })
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, atMost)
    .map(({ name }) => name);
}
