import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import { ROOT } from './tidy/source.ts';

/**
 * knip (knip.json) says which files, dependencies and exports nobody uses, and which imports no
 * manifest declares.
 */
function knip(folder: string): string {
  const result = spawnSync(join(ROOT, 'node_modules', '.bin', 'knip'), ['--no-progress', '--no-config-hints'], {
    ...{ cwd: folder, encoding: 'utf8' as const, timeout: 120_000 },
    env: { ...process.env, NO_COLOR: '1' },
  });
  expect(result.error).toBeUndefined();
  expect([0, 1], result.stderr).toContain(result.status);
  return result.stdout.trim();
}

it('nothing is there that nobody uses, and nothing is used that is not declared', () => {
  expect(knip(ROOT)).toBe('');
}, 180_000);

const FILES: Readonly<Record<string, string>> = {
  'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
  'package.json': '{"name":"planted","private":true,"type":"module"}',
  'packages/agent/package.json':
    '{"name":"agent","type":"module","exports":{".":"./src/index.ts"},"dependencies":{"used":"1","idle":"1"}}',
  'packages/agent/src/index.ts':
    "import 'used/deep';\nimport '@scope/new/deep';\nimport { wanted } from './alive.ts';\nexport const x = wanted;\n",
  'packages/agent/src/alive.ts': 'export const wanted = 1;\nexport const nobodys = 2;\n',
  'packages/agent/src/dead.ts': 'export const y = 1;\n',
};

let folder = '';
let output = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-unused-'));
  const settings = JSON.parse(readFileSync(join(ROOT, 'knip.json'), 'utf8')) as Record<string, unknown>;
  const workspaces = { 'packages/*': { project: ['src/**/*.ts'] } };
  for (const [path, text] of Object.entries({ ...FILES, 'knip.json': JSON.stringify({ ...settings, workspaces }) })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  output = knip(folder);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['a file that nothing imports', /Unused files \(1\)\npackages\/agent\/src\/dead\.ts/],
  ['a dependency that nothing imports', /Unused dependencies \(1\)\nidle /],
  ['an import that is not declared', /Unlisted dependencies \(1\)\n@scope\/new\/deep /],
  ['an export that nobody imports', /Unused exports \(1\)\nnobodys /],
])('%s is found', (_, found) => {
  expect(output).toMatch(found);
});
