import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CoordinatorConfigSchema } from '@understudy/coordinator';
import { parseConfig } from '@understudy/shared/node';
import { afterEach, describe, expect, it, test } from 'vitest';
import { BootSandbox, type HostOptions, outcomeOf } from './boot-sandbox.ts';

const hosts: BootSandbox[] = [];
const bareHost = (options: HostOptions = {}): BootSandbox => {
  const host = new BootSandbox(options);
  hosts.push(host);
  return host;
};
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
});

describe('a replaced host, its script run on a disk of its own', () => {
  it('comes to its end, and takes only its old member out', () => {
    const host = bareHost();
    expect(host.boot().said).toMatch(/understudy-boot: done\n$/);
    const { files, enabled, cluster, removed } = outcomeOf(host);
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(['/etc/understudy/master.key', '/etc/understudy/coordinator.yaml']),
    );
    expect(files['/etc/systemd/system/etcd.service']).toContain('--initial-cluster-state existing');
    expect(Object.keys(files).filter((file) => file.endsWith('.new'))).toEqual([]);
    expect(enabled).toEqual(expect.arrayContaining(['etcd.service', 'understudy-boot.service']));
    expect(cluster).toMatch(/^new, started, c2, /m);
    expect(removed).toEqual(['remove old']);
  });

  it('does nothing more once it is done, at any later boot', () => {
    const host = bareHost();
    host.boot();
    const before = [outcomeOf(host), host.read('asked'), host.read('fetched')];
    host.boot();
    expect([outcomeOf(host), host.read('asked'), host.read('fetched')]).toEqual(before);
  });

  it('fetches no package twice when systemd starts it again', () => {
    const host = bareHost();
    const steps = host.boot().steps;
    const other = bareHost();
    expect(other.boot(steps - 5).wasCut).toBe(true);
    const fetched = other.read('fetched');
    other.restart();
    expect(other.read('fetched')).toBe(fetched);
    expect(fetched.trim().split('\n')).toHaveLength(3);
  });
});

describe('enrolment in the configuration that the script writes', () => {
  const enrolmentOf = (options: HostOptions) => {
    const host = bareHost(options);
    host.boot();
    const config = host.files()['/etc/understudy/coordinator.yaml'] ?? '';
    return parseConfig(CoordinatorConfigSchema, config, 'coordinator.yaml').enrolment;
  };

  it('is off unless the stack says otherwise', () => {
    expect(enrolmentOf({})).toBeUndefined();
  });

  it("is on for the stack's own account, whose id stays a text", () => {
    expect(enrolmentOf({ values: { Enrolment: 'on' } })).toEqual({ accounts: ['012345678901'] });
  });

  it('has the certificate that the secret brings', () => {
    const inSecret = ['aws-identity.pem'];
    const { certificateFile } = enrolmentOf({ values: { Enrolment: 'on' }, inSecret }) ?? {};
    expect(certificateFile).toBe('/disk/etc/understudy/tls/aws-identity.pem');
    expect(enrolmentOf({ inSecret })).toBeUndefined();
  });
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
test.skipIf(!hasSystemd)('systemd takes every unit that the script writes', () => {
  const host = bareHost();
  host.boot();
  const folder = join(host.disk, 'etc/systemd/system');
  const units = ['understudy-boot.service', 'understudy-ready.service', 'understudy-ready.timer', 'etcd.service'];
  const { status, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', '--recursive-errors=no', ...units.map((unit) => join(folder, unit))],
    { encoding: 'utf8' },
  );
  expect([status, stderr.split('\n').filter((line) => line.includes(folder))]).toEqual([0, []]);
  expect(host.files()['/etc/systemd/system/understudy-boot.service']).toMatch(
    /^ConditionPathExists=!\/disk\/var\/lib\/understudy-booted$[^]*^StartLimitIntervalSec=0$[^]*^Restart=on-failure$/m,
  );
});
