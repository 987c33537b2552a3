import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Each shell loads the script that the command prints, and completes lines with it. */

const ROOT = resolve(import.meta.dirname, '../../..');
const has = (shell: string): boolean => spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0;
const MEMBER = {
  ...{ instanceId: 'i-1', incarnation: 1, az: 'a', verdict: 'alive', reasonCode: 'Heard', reason: 'x' },
  judged: { standing: 'current', by: 'c1', term: 7, verdict: 'alive', ageMs: 100, sinceWallMs: 1 },
  ...{ ownView: null, degraded: false, lastHeardAgoMs: 1, opinions: [], checks: [], hold: null, recovery: null },
  readinessProblems: [],
};

let folder: string;
let server: Server;
let url: string;
let running: ChildProcess[];

beforeEach(async () => {
  running = [];
  folder = mkdtempSync(join(tmpdir(), 'understudy-shells-'));
  symlinkSync(join(ROOT, 'understudy'), join(folder, 'understudy'));
  server = createServer((request, response) => {
    const members = ['db/one', 'db/two', '$(touch ran)/x'].map((member) => ({ ...MEMBER, member }));
    const body = request.url === '/v1/members' ? { members } : { open: [], history: [] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs a script in a shell that finds the command, and whose home is empty. */
function run(shell: string, ...words: readonly string[]): Promise<{ out: string; errors: string }> {
  const environment = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, UNDERSTUDY_URL: url, TERM: 'xterm' };
  const child = spawn(shell, words, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const said = { out: '', errors: '' };
  child.stdout.on('data', (chunk) => (said.out += String(chunk)));
  child.stderr.on('data', (chunk) => (said.errors += String(chunk)));
  return new Promise((done) => child.once('close', () => done(said)));
}

/** What bash offers for these words, of which the last is being typed. */
const bash = async (...words: readonly string[]): Promise<readonly string[]> => {
  const line = ['understudy', ...words].map((word) => `'${word}'`).join(' ');
  const script = `source <(understudy completion bash) && source <(understudy completion bash)
    compopt() { :; }
    COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _understudy; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { out, errors } = await run('bash', '--norc', '-c', script);
  expect(errors).toBe('');
  return out.split('\n').filter((one) => one !== '');
};

describe('bash', () => {
  it('completes commands, options and members of the cluster', async () => {
    expect(await bash('expl')).toEqual(['explain']);
    expect(await bash('explain', 'db')).toEqual(['db/one', 'db/two']);
    expect(await bash('status', '--js')).toEqual(['--json']);
  }, 60_000);

  it('runs nothing of what was typed, and nothing of what was answered', async () => {
    await bash('explain', '$(touch ran)');
    expect(await bash('explain', '')).toEqual(['db/one', 'db/two']);
    // As if the command itself were not to be trusted.
    rmSync(join(folder, 'understudy'));
    const script = await new Promise<string>((done) => {
      const child = spawn(join(ROOT, 'understudy'), ['completion', 'bash']);
      let text = '';
      child.stdout.on('data', (chunk) => (text += String(chunk)));
      child.once('close', () => done(text));
    });
    writeFileSync(join(folder, 'script'), script);
    writeFileSync(join(folder, 'understudy'), `#!/bin/sh\necho '$(touch ran)'\n`);
    chmodSync(join(folder, 'understudy'), 0o755);
    const { out } = await run(
      'bash',
      ...[
        '--norc',
        '-c',
        `source ./script; COMP_WORDS=(understudy ''); COMP_CWORD=1; _understudy; echo "\${COMPREPLY[0]}"`,
      ],
    );
    expect(out).toBe('$(touch ran)\n');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  }, 60_000);
});

describe.skipIf(!has('zsh'))('zsh (apt-get install zsh)', () => {
  it('completes a line that is typed into it', async () => {
    const script = `zmodload zsh/zpty
      zpty typed 'PS1=% zsh -f -i'
      zpty -w typed 'autoload -U compinit && compinit -u; source <(understudy completion zsh); echo load""ed'
      zpty -r typed before '*loaded*'
      zpty -w -n typed $'understudy explain db/t\\t'
      zpty -r typed line '*db/two*' && print -r -- found`;
    const { out } = await run('zsh', '-f', '-c', script);
    expect(out).toContain('found');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  }, 60_000);
});

describe.skipIf(!has('fish'))('fish (apt-get install fish)', () => {
  it('completes with descriptions', async () => {
    const script =
      'understudy completion fish | source; complete -C "understudy explain db/"; complete -C "understudy expl"';
    const { out } = await run('fish', '--no-config', '-c', script);
    expect(out.split('\n')).toEqual(['db/one\tmember', 'db/two\tmember', expect.stringMatching(/^explain\twhy/), '']);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  }, 60_000);
});
