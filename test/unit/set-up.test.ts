import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { archiveUri, configuredSources, parseDeb822, parseOneLine } from '../../scripts/apt-sources.mjs';
import { ensureEtcd } from '../../scripts/etcd.mjs';
import { isNewEnough, parseEtcdVersion } from '../../scripts/etcd-version.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy set-up '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers `--version` as etcd does. */
function fakeEtcd(path: string, version: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "etcd Version: ${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('etcd versions', () => {
  test.each([
    ['3.5.23', true],
    ['3.5.30', true],
    ['3.6.5', true],
    ['3.7.0', true],
    ['4.0.0', true],
    ['3.5.22', false],
    ['3.6.4', false],
    ['3.4.99', false],
  ])('%s is new enough: %s', (text, expected) => {
    const version = parseEtcdVersion(`etcd Version: ${text}\nGit SHA: x\n`);
    expect(version && isNewEnough(version)).toBe(expected);
  });

  it('finds no version in the output of another program', () => {
    expect(parseEtcdVersion('ls (GNU coreutils) 9.1')).toBeNull();
  });
});

describe('the etcd that is used', () => {
  const cache = () => join(folder, 'cache');

  it('is the one ETCD_BIN names, before any other', async () => {
    const named = fakeEtcd(join(folder, 'named'), '3.6.5');
    fakeEtcd(join(folder, 'bin', 'etcd'), '3.6.6');
    expect(await ensureEtcd({ ETCD_BIN: named, PATH: join(folder, 'bin') }, cache())).toBe(named);
  });

  it('is refused in one sentence when ETCD_BIN names nothing, something else or an old one', async () => {
    const old = fakeEtcd(join(folder, 'old'), '3.5.22');
    await expect(ensureEtcd({ ETCD_BIN: join(folder, 'nothing') }, cache())).rejects.toThrow('does not exist');
    await expect(ensureEtcd({ ETCD_BIN: '/bin/sh' }, cache())).rejects.toThrow('is no etcd that runs here');
    await expect(ensureEtcd({ ETCD_BIN: old }, cache())).rejects.toThrow(/etcd 3\.5\.22.*3\.5\.23 or newer/);
  });

  it('is the one on PATH when that is new enough, the cached one otherwise', async () => {
    const path = join(folder, 'bin');
    const cached = fakeEtcd(join(cache(), 'current', 'etcd'), '3.5.30');
    const installed = fakeEtcd(join(path, 'etcd'), '3.5.23');
    expect(await ensureEtcd({ PATH: path }, cache())).toBe(installed);
    fakeEtcd(installed, '3.5.22');
    expect(await ensureEtcd({ PATH: path }, cache())).toBe(cached);
  });
});

describe('apt sources', () => {
  it('are read in the one-line format, options and comments aside', () => {
    const text = [
      '# deb http://off.test/debian bookworm main',
      'deb [arch=amd64 signed-by=/x.gpg] http://mirror.test/debian bookworm main contrib # why',
      'deb-src http://mirror.test/debian bookworm main',
    ].join('\n');
    expect(parseOneLine(text)).toEqual([
      { uris: ['http://mirror.test/debian'], suites: ['bookworm'], components: ['main', 'contrib'] },
    ]);
  });

  it('are read in the deb822 format, disabled stanzas aside', () => {
    const text = [
      'Enabled: no\nTypes: deb\nURIs: http://off.test/debian\nSuites: bookworm\nComponents: main',
      'Types: deb\n# a comment\nURIs: http://mirror.test/debian\nSuites: bookworm\n bookworm-updates\nComponents: main',
      'Types: deb-src\nURIs: http://mirror.test/debian\nSuites: bookworm\nComponents: main',
    ].join('\n\n');
    expect(parseDeb822(text)).toEqual([
      { uris: ['http://mirror.test/debian'], suites: ['bookworm', 'bookworm-updates'], components: ['main'] },
    ]);
  });

  it('are read from the files apt reads, and no other', () => {
    mkdirSync(join(folder, 'sources.list.d'));
    writeFileSync(join(folder, 'sources.list'), 'deb http://one.test/debian bookworm main\n');
    writeFileSync(join(folder, 'sources.list.d', 'two.list'), 'deb http://two.test/debian bookworm main\n');
    writeFileSync(
      join(folder, 'sources.list.d', 'three.list.disabled'),
      'deb http://three.test/debian bookworm main\n',
    );
    expect(configuredSources(folder).map(({ uris }) => uris[0])).toEqual([
      'http://one.test/debian',
      'http://two.test/debian',
    ]);
  });

  it("give the archive of the machine's own release: not its security archive, not a third party's, not a CD", () => {
    const sources = [
      { uris: ['cdrom:[Debian 12]/'], suites: ['bookworm'], components: ['main'] },
      { uris: ['http://security.test/debian'], suites: ['bookworm-security'], components: ['main'] },
      { uris: ['http://vendor.test/repo'], suites: ['nodistro'], components: ['main'] },
      { uris: ['http://mirror.test/debian'], suites: ['bookworm', 'bookworm-updates'], components: ['main'] },
    ];
    expect(archiveUri(sources, ['bookworm', 'stable'])).toBe('http://mirror.test/debian');
    expect(archiveUri(sources.slice(0, 3), ['bookworm', 'stable'])).toBeNull();
  });
});
