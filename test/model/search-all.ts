import type { Configuration } from './configurations.ts';
import { search, type SearchBounds, type SearchResult } from './search.ts';

/** Searches that run at the same time. Each takes a core and up to a gigabyte. */
const WIDTH = 2;

/**
 * Searches all of them, in their order, a few at a time. Each result is handed on when it is there.
 * A search that could not run at all is handed on as its error.
 */
export async function searchAll(
  configurations: readonly Configuration[],
  bounds: SearchBounds,
  take: (configuration: Configuration, outcome: SearchResult | Error) => void,
): Promise<void> {
  const queue = configurations.values();
  const lane = async () => {
    for (const configuration of queue) take(configuration, await outcomeOf(configuration, bounds));
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
}

async function outcomeOf(configuration: Configuration, bounds: SearchBounds): Promise<SearchResult | Error> {
  try {
    return await search(configuration, bounds);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
