/**
 * Works on all items, at most `width` at a time. A rejection ends its own lane only; the other
 * lanes work on. The first rejection, in order of lanes, is thrown when all of them have ended.
 */
export async function forEachBounded<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, lane));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
