import { join } from 'node:path';
import { type EpisodeSpec, type Failure, nonceOf, runEpisode, type Side, type Tally } from './episode.ts';
import { writeFixture } from './fixture.ts';
import { GROWTH_MAX_BYTES, memoryGrowth } from './memory.ts';
import { shrink } from './shrink.ts';

export interface RunOptions {
  readonly sides: readonly Side[];
  readonly seed: number;
  /** Number of datagrams in all, split evenly over the sides. */
  readonly datagrams: number;
  readonly perEpisode: number;
  /** Runs only this episode. */
  readonly episode?: number;
}

/** Runs episode after episode, sides in turn, until something breaks. */
export async function fuzz(options: RunOptions, tally: Tally): Promise<Failure | null> {
  const { sides, seed, perEpisode, datagrams } = options;
  const count = options.episode === undefined ? Math.ceil(datagrams / sides.length / perEpisode) : 1;
  for (let index = 0; index < count; index++)
    for (const side of sides) {
      const failure = await runEpisode({ side, seed, episode: options.episode ?? index, datagrams: perEpisode }, tally);
      if (failure) return failure;
    }
  return null;
}

/** The one command line that repeats it. */
export const againCommand = ({ side, seed, episode, datagrams }: EpisodeSpec): string =>
  `npm run fuzz -- --side ${side} --seed ${seed} --episode ${episode} --per-episode ${datagrams}`;

/**
 * For people: what broke, how to see it again, and (with a folder) where the smallest list of
 * datagrams that breaks it is kept.
 */
export async function explain(failure: Failure, folder: string | null): Promise<string> {
  const { spec, finding, steps } = failure;
  const what = `BROKEN ${finding.invariant} at step ${steps.length} of episode ${spec.episode}: ${finding.text}`;
  const head = `${what}\nagain: ${againCommand(spec)}`;
  if (folder === null) return head;
  const smallest = await shrink(failure);
  const file = join(folder, `${spec.side}-${finding.invariant}-${spec.seed}-${spec.episode}.json`);
  const story = `Found with seed ${spec.seed}, episode ${spec.episode}: ${finding.text.split('\n')[0]}`;
  writeFixture(file, { story, broke: finding.invariant, side: spec.side, nonce: nonceOf(spec) }, smallest);
  return `${head}\nsmallest: ${smallest.length} of ${steps.length} steps, kept in ${file} (move it to test/fixtures/fuzz once understood)`;
}

/** Null when live memory is the same after ten times as many datagrams. */
export async function memoryFault(side: Side, seed: number, datagrams: number): Promise<string | null> {
  const { afterOneBytes, afterTenBytes } = await memoryGrowth(side, seed, datagrams);
  const grownBytes = afterTenBytes - afterOneBytes;
  process.stderr.write(
    `${side}: live memory ${mib(afterOneBytes)} after ${datagrams}, ${mib(afterTenBytes)} after ${10 * datagrams} datagrams\n`,
  );
  return grownBytes <= GROWTH_MAX_BYTES ? null : `BROKEN memory: ${side} grew by ${mib(grownBytes)}`;
}

const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(2)} MiB`;

export function tallyText(tally: Tally, seconds: number): string {
  const list = (title: string, counts: ReadonlyMap<string, number>) =>
    `${title}: ${[...counts]
      .toSorted((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`;
  const rate = Math.round(tally.datagrams / seconds);
  return [
    `${tally.datagrams} datagrams in ${seconds.toFixed(1)} s (${rate} per second)`,
    list('thrown', tally.thrown),
    list('outcomes', tally.outcomes),
  ].join('\n');
}
