import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { buildInfo } from './build-info.ts';
import { wrapped } from './deb.ts';
import { copiedFile, fileTree, link, program, textFile } from './file-tree.ts';
import { checkIntegrity } from './node-runtime.ts';
import { ownFolder, ROOT } from './packaging.fixtures.ts';
import { writeTree } from './write-tree.ts';

describe('a tree of files', () => {
  it('is written with its own modes and date, whatever the umask', async () => {
    const folder = join(ownFolder(), 'tree');
    const before = process.umask(0o077);
    try {
      const tree = fileTree([
        ['bin/run', program({ text: '#!/bin/sh\n' })],
        ['share/text', textFile('text')],
        ['share/link', link('../bin/run')],
      ]);
      await writeTree(folder, tree, 1_700_000_000);
    } finally {
      process.umask(before);
    }
    const modes = ['.', 'bin', 'bin/run', 'share/text'].map((path) =>
      (statSync(join(folder, path)).mode & 0o777).toString(8),
    );
    expect(modes).toEqual(['755', '755', '755', '644']);
    expect(statSync(join(folder, 'share')).mtimeMs).toBe(1_700_000_000_000);
    expect(statSync(join(folder, 'share/link')).mtimeMs).toBe(1_700_000_000_000);
  });

  test.each(['../etc/passwd', '/etc/passwd', 'a b', "a'b", 'a/../b', ''])('refuses the path %j', (path) => {
    expect(() => fileTree([[path, textFile('')]])).toThrow('unusable path');
  });

  it('refuses a path that stands twice', () => {
    expect(() => fileTree([['a', textFile('')]], [['a', copiedFile('/b')]])).toThrow('twice');
  });
});

describe('what a build says of itself', () => {
  it('takes the date from SOURCE_DATE_EPOCH before the commit', () => {
    expect(buildInfo(ROOT, { SOURCE_DATE_EPOCH: '5' }).sourceDateEpochS).toBe(5);
    expect(buildInfo(ROOT, {}).sourceDateEpochS).toBeGreaterThan(1_700_000_000);
  });

  it('refuses to make up a date', () => {
    const folder = ownFolder();
    mkdirSync(join(folder, 'empty'));
    expect(() => buildInfo(ROOT, { SOURCE_DATE_EPOCH: 'today' })).toThrow('SOURCE_DATE_EPOCH');
  });

  test.each(['1.2', 'v1.2.3', '1.2.3-rc1', '1.2.3 '])('refuses the version %j', (version) => {
    expect(() => buildInfo(ROOT, {}, version)).toThrow('version');
  });
});

it('an archive that is not what the lockfile pins is refused, with both digests', () => {
  expect(() => checkIntegrity(new Uint8Array([1]), 'sha512-other', 'node.tgz')).toThrow(
    /node\.tgz.*wanted sha512-other/,
  );
});

it('descriptions are wrapped at 76 letters', () => {
  const lines = wrapped(Array.from({ length: 60 }, () => 'word').join(' '));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(76);
  expect(lines.join(' ').split(' ')).toHaveLength(60);
});

const SCRIPTS = [
  'agent/install.sh',
  'agent/understudy-agent.sh',
  'coordinator/understudy.sh',
  'coordinator/understudy-coordinator.sh',
  'maintainer/agent.sh',
  'maintainer/coordinator.sh',
];

describe('the shell scripts of deploy', () => {
  test.each(SCRIPTS)('%s is a script that sh can read', (script) => {
    expect(spawnSync('/bin/sh', ['-n', join(ROOT, 'deploy', script)], { encoding: 'utf8' })).toMatchObject({
      status: 0,
    });
  });

  const missing = spawnSync('shellcheck', ['--version']).error !== undefined;
  it.skipIf(missing)('have nothing that shellcheck finds', () => {
    const paths = SCRIPTS.map((script) => join(ROOT, 'deploy', script));
    const result = spawnSync('shellcheck', ['--shell=sh', ...paths], { encoding: 'utf8' });
    expect(result.stdout).toBe('');
    expect(result.status).toBe(0);
  });

  test.each(['agent', 'coordinator'])("the %s's package never starts or stops the workload's target", (part) => {
    const text = readFileSync(join(ROOT, 'deploy/maintainer', `${part}.sh`), 'utf8');
    const code = text.split('\n').filter((line) => !line.startsWith('#'));
    expect(code.filter((line) => line.includes('active.target'))).toEqual([]);
  });
});
