/** Answers that are asked for in one run of a command, at most. */
const PAGES_MAX = 1_000;

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/**
 * As many as are wanted. A coordinator ends a page early where it is large, or where much was read
 * for it, so one answer may not have them all.
 */
export async function followPages<T>(
  read: (after: { readonly cursor: string | undefined; readonly limit: number }) => Promise<Page<T>>,
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number },
): Promise<Page<T>> {
  const items: T[] = [];
  let next: string | null = cursor ?? null;
  for (let pages = 0; pages < PAGES_MAX && items.length < limit; pages += 1) {
    const page: Page<T> = await read({ cursor: next ?? undefined, limit: limit - items.length });
    items.push(...page.items);
    next = page.next;
    if (next === null) break;
  }
  return { items, next };
}
