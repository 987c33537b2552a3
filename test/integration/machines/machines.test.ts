import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { missingPrerequisite } from '../../machines/prerequisites.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const NODE_ARGUMENTS = ['--conditions=source', '--import', './scripts/parent-watch.mjs', '--import', 'tsx'];
const MAIN = 'test/machines/main.ts';
/** All of it, and with three coordinators: `npm run machines`. */
const SUBSET = ['power-cut', 'predecessor-returns'];
/** About 90 s with a tree that is there, and another minute where it has to be made. */
const LIMIT_MS = 420_000;

/** It ends, and takes its world along, when this test's process is gone: its channel closes. */
function runMachines(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, MAIN, ...args], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

const missing = missingPrerequisite();

describe.skipIf(missing !== null)(`real machines${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  test('PostgreSQL on a Debian machine survives a power cut with every acknowledged row, and its old machine never serves', {
    timeout: LIMIT_MS,
  }, async () => {
    const { code, output } = await runMachines(['--small', ...SUBSET.flatMap((name) => ['--only', name])]);
    expect(output).toContain(`${SUBSET.length + 1} ok, 0 failed`);
    for (const name of ['first-boot', ...SUBSET]) expect(output).toContain(`✓ ${name}: `);
    expect(output).toMatch(/killed after \d+ rows/);
    expect(code).toBe(0);
  });
});

test('the machines list their scenarios without needing anything', async () => {
  const { code, output } = await runMachines(['--list']);
  expect(output).toMatch(/^scenario +fault +expected\n/);
  expect(output).toContain('coordinators-upgraded');
  expect(code).toBe(0);
});
