import { FileDescriptorSink, SystemClock } from '@understudy/shared/node';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const COMMAND = join(ROOT, 'understudy');

/**
 * Runs the line in a shell, as people do. `code` is that of the command itself, not of what stands
 * behind the pipe.
 */
function shell(line: string) {
  const { stdout, stderr } = spawnSync('bash', ['-c', `${line}; echo "code \${PIPESTATUS[0]}" >&2`], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  return { stdout, stderr, code: Number(/code (\d+)\n$/.exec(stderr)?.[1]) };
}

describe('the command of the README, in a pipe', () => {
  test('is the one the README names, and --json is JSON and nothing else', () => {
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain('./understudy status');
    const { stdout, code } = shell(`${COMMAND} iam-policy --json`);
    expect(code).toBe(0);
    for (const policy of [JSON.parse(stdout)].flat()) expect(policy).toHaveProperty('Statement');
  }, 60_000);

  test('whose reader goes away ends quietly, with 128 + SIGPIPE', () => {
    const { stderr, code } = shell(`${COMMAND} --help | true`);
    expect(code).toBe(141);
    expect(stderr).toBe('code 141\n');
  }, 60_000);

  test('to a full disk says so in one line, 74', () => {
    const { stderr, code } = shell(`${COMMAND} --help > /dev/full`);
    expect(code).toBe(74);
    expect(stderr).toBe('understudy: standard output cannot be written: ENOSPC\ncode 74\n');
  }, 60_000);
});

describe('a log that cannot be written', () => {
  test('on a full disk is dropped, counted, and the process goes on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-sink-'));
    const full = openSync('/dev/full', 'w');
    const sink = new FileDescriptorSink(full, new SystemClock());
    for (let line = 0; line < 10; line++) sink.writeLine('{"event":"x"}\n');
    await sink.flush(1_000);
    closeSync(full);
    // The same descriptor, now with room: what was lost is told first.
    const path = join(folder, 'log');
    const again = openSync(path, 'w');
    expect(again).toBe(full);
    sink.writeLine('{"event":"first"}\n');
    await sink.flush(1_000);
    sink.writeLine('{"event":"second"}\n');
    await sink.flush(1_000);
    closeSync(again);
    expect(readFileSync(path, 'utf8')).toContain('{"level":"warn","event":"log.dropped","lines":10}');
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['a pipe nobody reads any more', 'pipe'],
    ['/dev/full', '/dev/full'],
  ] as const)(
    'a coordinator goes on with its log to %s, and ends in order',
    async (_, where) => {
      const folder = mkdtempSync(join(tmpdir(), 'understudy-coordinator-'));
      const config = join(folder, 'c.yaml');
      writeFileSync(config, COORDINATOR);
      writeFileSync(join(folder, 'master.key'), 'ab'.repeat(32), { mode: 0o600 });
      const log = where === 'pipe' ? 'pipe' : openSync(where, 'w');
      const node = [
        '--conditions=source',
        '--import',
        import.meta.resolve('tsx'),
        join(ROOT, 'packages/cli/src/main.ts'),
      ];
      const child = spawn(process.execPath, [...node, 'coordinator', '--config', config], {
        stdio: ['ignore', log, 'pipe'],
        cwd: folder,
        env: { ...process.env, AWS_REGION: 'us-east-1' },
      });
      let errors = '';
      child.stderr?.on('data', (bytes: Buffer) => {
        errors += bytes.toString();
      });
      const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
      const clock = new SystemClock();
      if (where === 'pipe') {
        await new Promise((heard) => child.stdout?.once('data', heard));
        child.stdout?.destroy();
      } else await clock.sleep(8_000);
      // Long enough to log that etcd does not answer.
      await clock.sleep(4_000);
      expect([child.exitCode, errors]).toEqual([null, '']);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      rmSync(folder, { recursive: true });
    },
    60_000,
  );
});

const COORDINATOR = `id: c1
az: us-east-1a
etcd: { hosts: ['http://127.0.0.1:1'] }
keys: [{ id: 1, file: ./master.key }]
udp: { host: 127.0.0.1, port: 0 }
http: { host: 127.0.0.1, port: 0 }
`;
