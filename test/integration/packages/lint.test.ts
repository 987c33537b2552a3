import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtPackages } from './built.ts';
import { whyNotThorough } from './debian-tree.ts';

const RPMLINT = fileURLToPath(new URL('../../../deploy/lint/rpmlint.toml', import.meta.url));
const has = (tool: string) => spawnSync('/bin/sh', ['-c', `command -v ${tool}`]).status === 0;
const why = whyNotThorough() ?? (has('lintian') && has('rpmlint') ? null : 'lintian or rpmlint not found');
if (why !== null) process.stderr.write(`the packages are not looked over: ${why}\n`);

/** Quick packages are compressed as Debian's own never are. */
const FAST_ONLY = ['--suppress-tags', 'malformed-deb-archive'];

describe.skipIf(why !== null)('what the distributions look over', () => {
  let out = '';
  const files = (ending: string) =>
    readdirSync(out)
      .filter((name) => name.endsWith(ending))
      .map((name) => join(out, name));

  beforeAll(() => {
    out = builtPackages('9.0.0', 'deb,rpm,agent,coordinator,x64');
  }, 300_000);

  it('lintian finds nothing beyond what is overridden with its reason', () => {
    const args = ['--allow-root', '--show-overrides', ...FAST_ONLY, ...files('.deb')];
    const { stdout } = spawnSync('lintian', args, { encoding: 'utf8' });
    expect(stdout).toContain('O: understudy-agent: unstripped-binary-or-object');
    expect(stdout.split('\n').filter((line) => /^[EWPI]: /.test(line))).toEqual([]);
  });

  it('rpmlint finds nothing beyond what is filtered with its reason', () => {
    const { stdout } = spawnSync('rpmlint', ['--config', RPMLINT, ...files('.rpm')], { encoding: 'utf8' });
    expect(stdout.split('\n').filter((line) => /: [EW]: /.test(line))).toEqual([]);
    expect(stdout).toContain('2 packages and 0 specfiles checked; 0 errors, 0 warnings');
  });
});
