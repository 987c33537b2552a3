import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPackages } from './built.ts';
import { whyNotThorough } from './debian-tree.ts';
import { Machine } from './machine.ts';

const CONFIG = `
mkdir -p /etc/understudy
head -c 32 /dev/urandom | od -v -An -tx1 | tr -d ' \\n' > /etc/understudy/agent.key
chmod 600 /etc/understudy/agent.key
cat >/etc/understudy/agent.yaml <<'END'
member: orders/primary
key: { id: 1, file: /etc/understudy/agent.key }
coordinators: ['127.0.0.1:7946']
END
`;
const installer = (version: string) => `/tarballs/understudy-agent-${version}-linux-x64/install.sh`;

/** In order: each fact is about the machine that the ones before it left. */
describe.skipIf(whyNotThorough() !== null)("the agent's tarball on a Debian machine", () => {
  let machine: Machine;
  const pid = () => machine.run('systemctl show -p MainPID --value understudy-agent');

  beforeAll(async () => {
    machine = await Machine.boot();
    const into = join(machine.folder, 'tarballs');
    mkdirSync(into);
    for (const [version, only] of [
      ['9.0.0', 'tarball,agent,x64'],
      ['9.0.1', 'tarball,deb,agent,x64'],
    ] as const) {
      const built = builtPackages(version, only);
      const [tarball = ''] = readdirSync(built).filter((name) => name.endsWith('.tar.gz'));
      expect(spawnSync('tar', ['-xzf', join(built, tarball), '-C', into]).status).toBe(0);
      for (const deb of readdirSync(built).filter((name) => name.endsWith('.deb')))
        cpSync(join(built, deb), join(into, deb));
    }
  }, 300_000);
  afterAll(async () => machine?.[Symbol.asyncDispose]());

  it('installs with no network, and says what to fill in', () => {
    const said = machine.run(installer('9.0.0'));
    expect(said).toContain('not started: fill in /etc/understudy/agent.yaml');
    expect(machine.try('systemctl is-enabled understudy-agent').said).toBe('enabled\n');
  });

  it('starts the agent once there is a configuration', () => {
    expect(machine.run(`${CONFIG} ${installer('9.0.0')}`)).toContain('the agent was started');
    expect(machine.try('systemctl is-active understudy-agent').said).toBe('active\n');
    expect(machine.run('systemd-analyze verify --man=no understudy-agent.service understudy-active.target')).toBe('');
  });

  it('leaves the running agent alone when nothing has changed', () => {
    const before = pid();
    expect(machine.run(installer('9.0.0'))).toContain('nothing has changed');
    expect(pid()).toBe(before);
  });

  it('restarts it when the configuration or the key has changed', () => {
    const before = pid();
    machine.run("sed -i 's/7946/7947/' /etc/understudy/agent.yaml");
    expect(machine.run(installer('9.0.0'))).toContain('the agent was started');
    expect(pid()).not.toBe(before);
    // It has read it, so it may change again.
    machine.until("journalctl -u understudy-agent | grep -F '127.0.0.1:7947'");
  });

  it('leaves the old agent running where the new one would refuse the configuration', () => {
    const before = pid();
    machine.run(
      "cp /etc/understudy/agent.yaml /var/tmp/; sed -i 's/^member:.*/member: nonsense/' /etc/understudy/agent.yaml",
    );
    const refused = machine.try(installer('9.0.1'));
    expect(refused).toMatchObject({ code: 78 });
    expect(refused.said).toContain('member: want group/name');
    expect(refused.said).toContain('left as it is');
    expect(pid()).toBe(before);
    machine.run('cp /var/tmp/agent.yaml /etc/understudy/agent.yaml');
  });

  it('upgrades, and keeps the release before', () => {
    const before = pid();
    machine.run(installer('9.0.1'));
    expect(pid()).not.toBe(before);
    expect(machine.run('cat /usr/lib/understudy/agent/release')).toContain('VERSION=9.0.1');
    expect(readdirSync(join(machine.folder, 'usr/lib/understudy/releases'))).toHaveLength(2);
  });

  it('keeps the package of the agent out until it is taken away', () => {
    const refused = machine.try('dpkg -i /tarballs/understudy-agent_9.0.1*.deb');
    expect(refused.code).not.toBe(0);
    expect(refused.said).toContain('install.sh --uninstall');
    expect(machine.try('systemctl is-active understudy-agent').said).toBe('active\n');
  });

  it('uninstalls by the script that it left, and leaves configuration, key and state', () => {
    machine.run('/usr/lib/understudy/agent/install.sh --uninstall');
    expect(machine.try('systemctl is-active understudy-agent').said).toBe('inactive\n');
    expect(existsSync(join(machine.folder, 'usr/lib/understudy'))).toBe(false);
    expect(readdirSync(join(machine.folder, 'etc/understudy')).sort()).toEqual(['agent.key', 'agent.yaml']);
    expect(existsSync(join(machine.folder, 'var/lib/understudy'))).toBe(true);
  });

  it('leaves the agent of a package alone, and starts it with the configuration that is there', () => {
    machine.run('dpkg --force-confold -i /tarballs/understudy-agent_9.0.1*.deb');
    machine.run('systemctl stop understudy-agent');
    const said = machine.run(installer('9.0.0'));
    expect(said).toContain('installed by dpkg and is left alone');
    expect(machine.try('systemctl is-active understudy-agent').said).toBe('active\n');
    expect(existsSync(join(machine.folder, 'usr/lib/understudy/releases'))).toBe(false);
    expect(machine.try(`${installer('9.0.0')} --uninstall`)).toMatchObject({ code: 69 });
  });
});
