import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vitest/config';
import { defineConfig } from 'vitest/config';
import { applied, type Edit } from './edits.ts';

/**
 * `{ root, edits, notes }`: what is mutated below which folder, and where to write down which edits
 * were really loaded.
 */
const { root, edits, notes } = JSON.parse(process.env['UNDERSTUDY_MUTANT'] ?? 'null') as {
  readonly root: string;
  readonly edits: readonly Edit[];
  readonly notes: string;
};

/** Changes modules on their way to the tests. The work tree is never touched. */
const mutate: Plugin = {
  name: 'understudy-mutant',
  enforce: 'pre',
  transform(code, id) {
    const own = edits.filter((edit) => join(root, edit.file) === id.split('?')[0]);
    if (own.length === 0) return null;
    const changed = own.reduce(applied, readFileSync(id.split('?')[0] ?? '', 'utf8'));
    writeFileSync(notes, `${own.map((edit) => edit.file).join('\n')}\n`, { flag: 'a' });
    return code === '' ? null : { code: changed, map: null };
  },
};

export default defineConfig({
  root,
  plugins: [mutate],
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '.cache/**'],
    env: { NO_COLOR: '1' },
    testTimeout: 60_000,
    bail: 1,
    // A cache of transformed modules would give the next mutant the last one's code.
    fsModuleCache: false,
  },
});
