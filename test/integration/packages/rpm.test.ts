import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtPackages } from './built.ts';
import { whyNotThorough } from './debian-tree.ts';
import { copiedTree } from './machine.ts';

/**
 * In a folder that rpm takes for a machine. Its base is Debian's, so what is required of Fedora's
 * names (glibc) is not looked at.
 */
describe.skipIf(whyNotThorough() !== null)('.rpm packages in a folder of their own', () => {
  let root = '';
  const built: Record<string, string> = {};
  const at = (path: string) => join(root, path);
  const rpm = (...args: readonly string[]) => {
    const known = ['--root', root, '--dbpath', '/var/lib/rpm'];
    const changes = args.includes('-q') ? [] : ['--nodeps'];
    const result = spawnSync('rpm', [...known, ...changes, ...args], { encoding: 'utf8' });
    return { code: result.status, said: result.stdout + result.stderr };
  };
  const filesOf = (version: string) =>
    readdirSync(built[version] ?? '')
      .filter((name) => name.endsWith('.x86_64.rpm'))
      .map((name) => join(built[version] ?? '', name));

  /** Links that lead nowhere from here count as well. */
  const wants = () =>
    readdirSync(at('etc/systemd/system/multi-user.target.wants'))
      .filter((name) => name.startsWith('understudy-'))
      .sort();

  beforeAll(() => {
    root = copiedTree();
    for (const version of ['9.0.0', '9.0.1']) built[version] = builtPackages(version, 'rpm,agent,coordinator,x64');
  }, 300_000);

  it('say what they need, and whose payload they hold', () => {
    for (const file of filesOf('9.0.0')) {
      const asked = spawnSync('rpm', ['-qp', '--requires', file], { encoding: 'utf8' }).stdout;
      expect(asked).toContain('glibc >= 2.28');
      expect(asked).not.toContain('nodejs');
    }
  });

  it('install with the modes and the owner that the programs ask for, enabled', () => {
    expect(rpm('--force-debian', '-i', ...filesOf('9.0.0'))).toMatchObject({ code: 0 });
    expect((statSync(at('etc/understudy/agent.yaml')).mode & 0o777).toString(8)).toBe('600');
    expect((statSync(at('etc/understudy/coordinator.yaml')).mode & 0o777).toString(8)).toBe('640');
    const group = new RegExp(`^understudy:x:${statSync(at('etc/understudy/coordinator.yaml')).gid}:`, 'm');
    expect(readFileSync(at('etc/group'), 'utf8')).toMatch(group);
    expect(wants()).toEqual(['understudy-agent.service', 'understudy-coordinator.service']);
    const ran = spawnSync('chroot', [root, '/usr/bin/understudy', '--version'], { encoding: 'utf8' });
    expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('find nothing changed', () => {
    const verified = rpm('-V', 'understudy-agent', 'understudy-coordinator');
    expect(verified).toEqual({ code: 0, said: '' });
  });

  it('upgrade and keep what was edited', () => {
    writeFileSync(at('etc/understudy/agent.yaml'), 'member: a/b\n');
    writeFileSync(at('etc/understudy/agent.key'), 'key');
    expect(rpm('--force-debian', '-U', ...filesOf('9.0.1'))).toMatchObject({ code: 0 });
    expect(readFileSync(at('etc/understudy/agent.yaml'), 'utf8')).toBe('member: a/b\n');
    expect(rpm('-q', 'understudy-agent').said).toBe('understudy-agent-9.0.1-1.x86_64\n');
    expect(wants()).toEqual(['understudy-agent.service', 'understudy-coordinator.service']);
  });

  it('erased, leave the edited configuration, keys and state', () => {
    expect(rpm('-e', 'understudy-agent', 'understudy-coordinator')).toMatchObject({ code: 0 });
    expect(readdirSync(at('etc/understudy')).sort()).toEqual(['agent.key', 'agent.yaml.rpmsave']);
    expect(existsSync(at('var/lib/understudy'))).toBe(true);
    expect(existsSync(at('usr/lib/understudy'))).toBe(false);
    expect(wants()).toEqual([]);
  });

  it('keep out of the way of a tarball', () => {
    spawnSync('/bin/sh', [
      '-c',
      `mkdir -p '${root}/usr/lib/understudy' && ln -s releases/x '${root}/usr/lib/understudy/agent'`,
    ]);
    const refused = rpm('--force-debian', '-i', ...filesOf('9.0.0').filter((file) => file.includes('agent')));
    expect(refused.code).not.toBe(0);
    expect(refused.said).toContain('install.sh --uninstall');
  });
});
