import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { ownFolder, unpackedAgent } from './packaging.fixtures.ts';

let first = '';
let second = '';
beforeAll(async () => {
  first = await unpackedAgent('1.0.0');
  second = await unpackedAgent('1.0.1');
});

/** An image that install.sh is pointed at. */
let image = '';
beforeEach(() => {
  image = ownFolder();
});

function run(script: string, ...args: readonly string[]) {
  const result = spawnSync('/bin/sh', [script, '--root', image, ...args], { encoding: 'utf8' });
  expect(result.error).toBeUndefined();
  return { code: result.status, said: result.stdout + result.stderr };
}
const install = (tree: string) => run(join(tree, 'install.sh'));
const at = (path: string) => join(image, path);
const modeOf = (path: string) => (statSync(at(path)).mode & 0o777).toString(8);

describe('install.sh', () => {
  it('puts program, units and a skeleton in their places and enables the agent only', () => {
    expect(install(first)).toMatchObject({ code: 0 });
    expect(modeOf('usr/lib/understudy/agent/bin/node')).toBe('755');
    expect(modeOf('etc/understudy/agent.yaml')).toBe('600');
    expect(modeOf('var/lib/understudy')).toBe('700');
    expect(readFileSync(at('usr/lib/understudy/agent/bin/understudy-agent'), 'utf8')).toContain('--jitless');
    const wants = readdirSync(at('etc/systemd/system'), { recursive: true }).map(String).sort();
    expect(wants).toEqual([
      'multi-user.target.wants',
      'multi-user.target.wants/understudy-agent.service',
      'understudy-active.target',
      'understudy-agent.service',
    ]);
  });

  it('changes nothing when it is run again', () => {
    install(first);
    const program = at('usr/lib/understudy/agent/bin/node');
    const before = statSync(program);
    expect(install(first)).toMatchObject({ code: 0 });
    expect(statSync(program).ino).toBe(before.ino);
    expect(readdirSync(at('usr/lib/understudy')).sort()).toEqual(['agent', 'releases']);
  });

  it('upgrades by one rename, keeps the release before and no older one, and leaves what is not its own', async () => {
    install(first);
    const released = readlinkSync(at('usr/lib/understudy/agent'));
    writeFileSync(at('etc/understudy/agent.yaml'), 'member: a/b\n');
    writeFileSync(at('etc/understudy/agent.key'), 'key');
    writeFileSync(at('var/lib/understudy/state.json'), '{}');
    expect(install(second)).toMatchObject({ code: 0 });
    expect(readlinkSync(at('usr/lib/understudy/agent'))).toMatch(/^releases\/agent-1\.0\.1-[0-9a-f]{12}$/);
    expect(existsSync(at(`usr/lib/understudy/${released}/bin/node`))).toBe(true);
    expect(readFileSync(at('etc/understudy/agent.yaml'), 'utf8')).toBe('member: a/b\n');
    expect(readFileSync(at('var/lib/understudy/state.json'), 'utf8')).toBe('{}');
    install(await unpackedAgent('1.0.2'));
    expect(existsSync(at(`usr/lib/understudy/${released}`))).toBe(false);
    expect(readdirSync(at('usr/lib/understudy/releases'))).toHaveLength(2);
  });

  it('removes what an installation that was cut off left, and finishes it', () => {
    mkdirSync(at('usr/lib/understudy/releases/agent-1.0.0-abc.new.17/bin'), { recursive: true });
    expect(install(first)).toMatchObject({ code: 0 });
    expect(readdirSync(at('usr/lib/understudy/releases'))).toHaveLength(1);
  });

  test('uninstall leaves configuration, key and state; purge takes them', () => {
    install(first);
    writeFileSync(at('etc/understudy/agent.key'), 'key');
    writeFileSync(at('etc/understudy/coordinator.yaml'), 'id: c1\n');
    const script = at('usr/lib/understudy/agent/install.sh');
    expect(run(script, '--uninstall')).toMatchObject({ code: 0 });
    expect(existsSync(at('usr/lib/understudy'))).toBe(false);
    expect(existsSync(at('etc/systemd/system/understudy-agent.service'))).toBe(false);
    expect(readdirSync(at('etc/understudy')).sort()).toEqual(['agent.key', 'agent.yaml', 'coordinator.yaml']);
    expect(existsSync(at('var/lib/understudy'))).toBe(true);
    expect(run(join(first, 'install.sh'), '--uninstall', '--purge')).toMatchObject({ code: 0 });
    expect(readdirSync(at('etc/understudy'))).toEqual(['coordinator.yaml']);
    expect(existsSync(at('var/lib/understudy'))).toBe(false);
  });
});

describe('install.sh refuses', () => {
  it('a tarball with a damaged file, before it changes anything', async () => {
    const damaged = await unpackedAgent('1.0.0');
    appendFileSync(join(damaged, 'agent/understudy-agent.cjs'), 'x');
    expect(install(damaged)).toMatchObject({ code: 74, said: expect.stringContaining('damaged') });
    expect(readdirSync(image)).toEqual([]);
  });

  it('a tarball with a missing file', async () => {
    const short = await unpackedAgent('1.0.0');
    rmSync(join(short, 'units/understudy-active.target'));
    expect(install(short)).toMatchObject({ code: 74 });
  });

  it('a machine that cannot run its Node', async () => {
    const foreign = await unpackedAgent('1.0.0');
    const node = join(foreign, 'agent/bin/node');
    writeFileSync(node, '#!/bin/sh\nexit 1\n');
    spawnSync(
      '/bin/sh',
      ['-c', 'find . -type f ! -name SHA256SUMS | sed "s,^./,," | sort | xargs sha256sum > SHA256SUMS'],
      {
        cwd: foreign,
      },
    );
    expect(install(foreign)).toMatchObject({ code: 69, said: expect.stringContaining('glibc 2.28') });
    expect(readdirSync(image)).toEqual([]);
  });

  it('a program folder that somebody else made', () => {
    mkdirSync(at('usr/lib/understudy/agent'), { recursive: true });
    expect(install(first)).toMatchObject({ code: 69, said: expect.stringContaining('did not make') });
    expect(lstatSync(at('usr/lib/understudy/agent')).isDirectory()).toBe(true);
  });

  test.each([
    [['--what'], 'unknown argument --what'],
    [['--purge'], '--purge goes with --uninstall'],
  ])('%j', (args, said) => {
    expect(run(join(first, 'install.sh'), ...args)).toMatchObject({ code: 64, said: expect.stringContaining(said) });
  });
});

it('install.sh never names the target but as a file: it neither starts nor stops it', () => {
  const uses = readFileSync(join(first, 'install.sh'), 'utf8')
    .split('\n')
    .filter((line) => /systemctl/.test(line) && /TARGET|active\.target/.test(line));
  expect(uses).toEqual([]);
});
