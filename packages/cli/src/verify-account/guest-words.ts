import type { Bench } from './question.ts';
import { waitFor } from './waiting.ts';

/** What guests say on their console begins with this. */
const MARK = 'understudy-verify-account:';

/** A line of a shell script by which a guest says `word`. */
export const saying = (word: string): string => `echo "${MARK} ${word}" > /dev/console`;

/**
 * What the guest has said that fits, as EC2 has its console: minutes late.
 * @returns null when it said nothing of the kind in time
 */
export async function saidBy(
  { cloud, clock }: Bench,
  instanceId: string,
  words: RegExp,
  limitMs: number,
): Promise<RegExpExecArray | null> {
  const pattern = new RegExp(`${MARK} (?:${words.source})`);
  const wait = { what: 'a word of the guest on its console', limitMs, everyMs: 15_000 };
  const heard = waitFor(clock, wait, async () =>
    pattern.exec((await cloud.consoleOutput(instanceId, { repeat: true }))?.text ?? ''),
  );
  return heard.then(
    ({ found }) => found,
    () => null,
  );
}
