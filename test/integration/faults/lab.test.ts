import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { missingPrerequisite } from '../../faults/prerequisites.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const NODE_ARGUMENTS = ['--conditions=source', '--import', './scripts/parent-watch.mjs', '--import', 'tsx'];
const MAIN = 'test/faults/main.ts';
/**
 * A zone, one host, the process that leads, EC2, an operator, builds beside each other: one short
 * scenario of each kind.
 * The whole table is `pnpm run faults`.
 */
const SUBSET = [
  'zone-cut',
  'one-agent-cut',
  'leader-killed-at-launch',
  'foreign-xhtml-page-200',
  'operator-abandon-leader-killed',
  'builds-newer-leads-and-dies',
];
/** Building the lab takes about 20 s here, a scenario about 10 s. */
const LIMIT_MS = 300_000;

/** It ends, and takes its world along, when this test's process is gone: its channel closes. */
function runLab(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
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

describe.skipIf(missing !== null)(`the fault lab${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  test('real processes in namespaces hold when a zone, an agent or the leader is struck', {
    timeout: LIMIT_MS,
  }, async () => {
    const { code, output } = await runLab(SUBSET.flatMap((name) => ['--exactly', name]));
    expect(output).toContain(`${SUBSET.length} ok, 0 failed, 0 skipped`);
    for (const name of SUBSET) expect(output).toContain(`✓ ${name}: `);
    expect(output).toContain('found IMDS at 169.254.169.254');
    expect(code).toBe(0);
  });
});

test('the fault lab lists its scenarios without needing anything', async () => {
  const { code, output } = await runLab(['--list']);
  expect(output).toMatch(/^scenario +fault +expected\n/);
  expect(output).toContain('leader-killed-at-launch');
  expect(code).toBe(0);
});
