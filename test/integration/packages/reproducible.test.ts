import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { THOROUGH, whyNoMachines } from './debian-tree.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** What of this machine must be in no artefact. Names as common as `root` or `vm` say nothing. */
function namesOfThisMachine(): readonly string[] {
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
  const { username, homedir } = userInfo();
  const names = [ROOT, hostname(), username, homedir, URL.canParse(registry) ? new URL(registry).host : ''];
  return names.filter((name) => name.length > 5 && name !== 'localhost');
}

const UNPACK: Readonly<Record<string, string>> = {
  '.tar.gz': 'tar -xzf "$1" -C "$2"',
  '.deb': 'dpkg-deb --raw-extract "$1" "$2"',
  '.rpm':
    'rpm2archive -n - <"$1" | tar -x -C "$2" && rpm -qp --xml "$1" >"$2/header.xml" && rpm -qp --scripts "$1" >"$2/scripts"',
  '.json': 'cp "$1" "$2"',
};

describe.skipIf(whyNoMachines() !== null)('packages built twice, in unlike surroundings', () => {
  let out = '';
  let said = '';
  let code: number | null = null;

  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'understudy-twice-'));
    const script = join(ROOT, 'scripts/package.mjs');
    const args = [
      script,
      '--fast',
      '--verify',
      '--only',
      THOROUGH ? 'agent,coordinator,x64' : 'deb,agent,coordinator,x64',
      '--out',
      out,
    ];
    const built = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 400_000 });
    [said, code] = [built.stdout + built.stderr, built.status];
  }, 420_000);

  it('are the same to the last bit', () => {
    expect(said).toContain('the same to the last bit');
    expect(code).toBe(0);
  });

  it('have sums that sha256sum finds right', () => {
    const checked = spawnSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' });
    expect(checked).toMatchObject({ status: 0, stdout: '' });
  });

  it('hold no path, host, registry or user of the machine that built them', () => {
    const names = namesOfThisMachine();
    expect(names).toContain(ROOT);
    const unpacked = join(out, 'unpacked');
    for (const file of readdirSync(out).filter((name) => name !== 'SHA256SUMS')) {
      const [, how = ''] = Object.entries(UNPACK).find(([ending]) => file.endsWith(ending)) ?? [];
      mkdirSync(join(unpacked, file), { recursive: true });
      const done = spawnSync('/bin/sh', ['-ec', how, 'sh', join(out, file), join(unpacked, file)], {
        encoding: 'utf8',
      });
      expect(done.status, `${file}: ${done.stderr}`).toBe(0);
    }
    const patterns = names.flatMap((name) => ['-e', name]);
    // Node's licence names the public registry, as Node's authors wrote it.
    const found = spawnSync('grep', ['-rlaF', '--exclude=LICENSE.node', ...patterns, unpacked], { encoding: 'utf8' });
    expect(found.stdout).toBe('');
    expect(found.status).toBe(1);
  });
});
