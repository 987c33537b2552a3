import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FIXTURES, keptFixtures } from './fixture.ts';
import { output, SEED } from './fuzz-process.ts';
import { FUZZ_BUGS } from './planted/bugs.ts';

describe('what once broke something', () => {
  test.concurrent.each(keptFixtures().filter(([, { planted: bug }]) => bug !== undefined))(
    '%s breaks the same as ever with the bug planted',
    async (name, { planted: bug = '', broke }) => {
      expect(await output(bug, ['--replay', join(FIXTURES, name)])).toContain(`BROKEN ${broke}`);
    },
  );
});

describe('a bug that is planted', () => {
  test.concurrent.each(FUZZ_BUGS)('$name ($story) is noticed by the short run', async ({ name, caughtBy }) => {
    // A leak shows in no outcome, so that run goes on to compare live memory.
    const size = caughtBy.includes('memory') ? [2_000, 2_000] : [16_000, 0];
    const [datagrams = 0, memory = 0] = size;
    const short = ['--seed', SEED, '--datagrams', datagrams, '--per-episode', 1_000, '--memory', memory];
    const text = await output(name, [...short, '--no-shrink', '--json']);
    const failure = (JSON.parse(text) as { failure: string | null }).failure ?? 'nothing broke';
    const broke = /^BROKEN ([a-z-]+)/.exec(failure)?.[1];
    expect(caughtBy, failure).toContain(broke);
  });
});
