import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/**
 * `npm start` and `npm test` run everything through `scripts/run.mjs`: what the person presses
 * reaches the demo once, and nothing outlives us.
 */

let folder = '';
let starter: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-run-'));
});
afterEach(() => {
  starter?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Notes its signals in a file; ends with code 7 when it is told to end. */
const CHILD = `
  import { appendFileSync } from 'node:fs';
  const note = (text) => appendFileSync(process.argv[2], text + '\\n');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGWINCH']) process.on(signal, () => {
    note(signal);
    if (signal !== 'SIGWINCH') setTimeout(() => process.exit(7), 300);
  });
  process.on('exit', () => note('ended'));
  setTimeout(() => process.exit(99), 30_000);
  note('ready');
`;

function start(body = CHILD): { readonly exitCode: Promise<number | null>; readonly notes: () => string[] } {
  const child = join(folder, 'child.mjs');
  const log = join(folder, 'log');
  writeFileSync(child, body);
  writeFileSync(log, '');
  const runner = new URL('../../scripts/run.mjs', import.meta.url).href;
  const code = `
    import { run, runMain } from ${JSON.stringify(runner)};
    await runMain(() => run(process.execPath, [${JSON.stringify(child)}, ${JSON.stringify(log)}], { watchParent: true }));
  `;
  const started = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'ignore', detached: true });
  starter = started;
  const exitCode = new Promise<number | null>((resolve) => started.once('exit', (status) => resolve(status)));
  return { exitCode, notes: () => readFileSync(log, 'utf8').trim().split('\n') };
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });

describe('a command that is run', () => {
  it('gets a Ctrl-C once, although terminal and npm both deliver it, and its exit code is ours', async () => {
    const { exitCode, notes } = start();
    await until(() => expect(notes()[0]).toBe('ready'));
    // The terminal signals the whole foreground group; npm passes the signal on to us a second
    // time.
    process.kill(-(starter?.pid ?? 0), 'SIGINT');
    process.kill(starter?.pid ?? 0, 'SIGINT');
    expect(await exitCode).toBe(7);
    expect(notes().slice(1)).toEqual(['SIGINT', 'ended']);
  });

  it('is told about SIGTERM and about a new window size', async () => {
    const { exitCode, notes } = start();
    await until(() => expect(notes()[0]).toBe('ready'));
    process.kill(starter?.pid ?? 0, 'SIGWINCH');
    await until(() => expect(notes()).toContain('SIGWINCH'));
    process.kill(starter?.pid ?? 0, 'SIGTERM');
    expect(await exitCode).toBe(7);
    expect(notes().slice(1)).toEqual(['SIGWINCH', 'SIGTERM', 'ended']);
  });

  it('ends in its normal way when we are killed outright', async () => {
    const { notes } = start();
    await until(() => expect(notes()[0]).toBe('ready'));
    process.kill(starter?.pid ?? 0, 'SIGKILL');
    await until(() => expect(notes().slice(1)).toEqual(['SIGTERM', 'ended']));
  });

  it('ends us with 128 + its signal when it dies of one', async () => {
    const { exitCode } = start("process.kill(process.pid, 'SIGKILL'); setTimeout(() => undefined, 30_000);");
    expect(await exitCode).toBe(137);
  });
});
