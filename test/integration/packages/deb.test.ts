import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPackages } from './built.ts';
import { whyNoMachines } from './debian-tree.ts';
import { Machine } from './machine.ts';

const why = whyNoMachines();
if (why !== null) process.stderr.write(`the packages are not tried on a machine: ${why}\n`);

const UNITS = 'understudy-agent.service understudy-coordinator.service';
/** Fails when nothing is found, as grep does. */
const journal = (unit: string, words: string) => `journalctl --no-pager -u ${unit} | grep -F '${words}'`;

const SETTINGS = `
head -c 32 /dev/urandom | od -v -An -tx1 | tr -d ' \\n' > /etc/understudy/agent.key
cp /etc/understudy/agent.key /etc/understudy/master.key
chmod 600 /etc/understudy/*.key
chown understudy /etc/understudy/master.key
cat >/etc/understudy/agent.yaml <<'END'
member: orders/primary
key: { id: 1, file: /etc/understudy/agent.key }
coordinators: ['127.0.0.1:7946']
END
cat >/etc/understudy/coordinator.yaml <<'END'
id: c1
az: us-east-1a
udp: { host: 127.0.0.1, port: 7946 }
http: { host: 127.0.0.1, port: 8080 }
etcd: { hosts: ['http://127.0.0.1:2379'] }
aws: { region: us-east-1 }
keys: [{ id: 1, file: /etc/understudy/master.key }]
END
`;

/** A workload as an administrator ties it to the target. */
const WORKLOAD = `
cat >/etc/systemd/system/work.service <<'END'
[Unit]
Requisite=understudy-active.target
PartOf=understudy-active.target
After=understudy-active.target
AssertPathExists=/run/understudy/active
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=understudy-active.target
END
systemctl daemon-reload
systemctl --quiet enable work.service
`;

/** A skeleton that was changed by us, for an upgrade that meets one changed by an administrator. */
function withOtherSkeleton(folder: string): void {
  const [file] = readdirSync(folder).filter((name) => name.startsWith('understudy-agent_'));
  const work = join(folder, 'unpacked');
  spawnSync('dpkg-deb', ['--raw-extract', join(folder, file ?? ''), work]);
  const skeleton = join(work, 'etc/understudy/agent.yaml');
  writeFileSync(skeleton, `${readFileSync(skeleton, 'utf8')}# a later release\n`);
  const args = ['--root-owner-group', '-Zzstd', '-z1', '--build', work, join(folder, file ?? '')];
  expect(spawnSync('dpkg-deb', args).status).toBe(0);
}

/** Nobody inside knows the name localhost, which etcd would ask for. */
const ETCD_PLACE = [
  ...['listen-client-urls', 'advertise-client-urls'].map((name) => `--${name} http://127.0.0.1:2379`),
  ...['listen-peer-urls', 'initial-advertise-peer-urls'].map((name) => `--${name} http://127.0.0.1:2380`),
  '--initial-cluster default=http://127.0.0.1:2380',
].join(' ');

/** The page of the coordinator, read with the Node that came with it. */
const PAGE = `/usr/lib/understudy/coordinator/bin/node -e "fetch('http://127.0.0.1:8080/').then((r) => r.text()).then(console.log)"`;
const FETCH = `/usr/lib/understudy/coordinator/bin/node -e "fetch('http://127.0.0.1:8080/healthz').then((r) => console.log(r.status))"`;

/** In order: each fact is about the machine that the ones before it left. */
describe.skipIf(why !== null)('.deb packages on a Debian machine', () => {
  let machine: Machine;
  const pidOf = (unit: string) => machine.run(`systemctl show -p MainPID --value ${unit}`);
  const workSince = () =>
    machine.run('systemctl is-active work.service && systemctl show -p ActiveEnterTimestampMonotonic work');

  beforeAll(async () => {
    machine = await Machine.boot();
    for (const version of ['9.0.0', '9.0.1']) {
      const built = builtPackages(version, 'deb,agent,coordinator,x64');
      if (version === '9.0.1') withOtherSkeleton(built);
      const folder = join(machine.folder, 'packages', version);
      mkdirSync(folder, { recursive: true });
      for (const name of readdirSync(built).filter((file) => file.endsWith('.deb')))
        cpSync(join(built, name), join(folder, name));
    }
  }, 300_000);
  afterAll(async () => machine?.[Symbol.asyncDispose]());

  it('install, enable, and say which fields are to be filled in; nothing has started', () => {
    const said = machine.run('dpkg -i /packages/9.0.0/*.deb');
    expect(said).toContain('/etc/understudy/agent.yaml:5: member: want group/name');
    expect(said).toContain('understudy-agent: not started: fill in /etc/understudy/agent.yaml');
    expect(said).toContain('/etc/understudy/coordinator.yaml:6: id:');
    expect(machine.try(`systemctl is-enabled ${UNITS}`).said).toBe('enabled\nenabled\n');
    expect(machine.try(`systemctl is-active ${UNITS}`).said).toBe('inactive\ninactive\n');
    expect(machine.run("stat -c '%a %U %G' /etc/understudy/*.yaml").split('\n')).toEqual([
      '600 root root',
      '640 root understudy',
    ]);
  });

  it('refuse to start unfilled, once and for all, with the field in the journal', () => {
    for (const unit of UNITS.split(' ')) {
      machine.try(`systemctl start ${unit}`);
      machine.until(`systemctl is-failed ${unit}`);
    }
    expect(machine.try(`systemctl is-failed ${UNITS}`).said).toBe('failed\nfailed\n');
    expect(machine.run(journal('understudy-agent', 'member: want group/name'))).toContain('agent.yaml:5');
    expect(machine.run(journal('understudy-coordinator', 'etcd.hosts'))).toContain('coordinator.yaml');
    expect(machine.run(`systemctl show -p NRestarts --value ${UNITS}`).split(/\s+/)).toEqual(['0', '0']);
  });

  it('run once they are filled in, in their sandboxes', () => {
    machine.run(`${SETTINGS} systemctl restart ${UNITS}`);
    machine.until(journal('understudy-coordinator', 'coordinator.started'));
    machine.until(journal('understudy-agent', 'agent.config'));
    expect(machine.try(`systemctl is-active ${UNITS}`).said).toBe('active\nactive\n');
    expect(machine.run(journal('understudy-coordinator', '"version":"9.0.0"'))).toContain('config.effective');
    expect(machine.run(FETCH)).toBe('200');
    expect(machine.run(`ps -o user= -p ${pidOf('understudy-coordinator')}`)).toBe('understudy');
    expect(machine.run("stat -c '%a' /var/lib/understudy")).toBe('700');
    expect(machine.run('understudy --version')).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('lead, through an etcd that comes up later, and serve the dashboard, all from the bundle', () => {
    const etcd = process.env.ETCD_BIN;
    if (etcd === undefined) throw new Error('the global set-up names an etcd');
    cpSync(realpathSync(etcd), join(machine.folder, 'usr/local/bin/etcd'));
    machine.run(`systemd-run --quiet --unit=etcd /usr/local/bin/etcd --data-dir /var/tmp/etcd ${ETCD_PLACE}`);
    machine.until(journal('understudy-coordinator', '"event":"leader.began"'));
    expect(machine.run(PAGE)).toMatch(/<script type="module"[^>]* src="\/assets\//);
  });

  it('have units that systemd finds nothing wrong with, and that are exposed no more than now', () => {
    const units = `${UNITS} understudy-active.target`;
    expect(machine.run(`systemd-analyze verify --man=no ${units}`)).toBe('');
    expect(machine.try('systemd-analyze security --no-pager --threshold=30 understudy-agent.service').code).toBe(0);
    expect(machine.try('systemd-analyze security --no-pager --threshold=12 understudy-coordinator.service').code).toBe(
      0,
    );
    expect(machine.try('systemd-analyze security --no-pager --threshold=5 understudy-agent.service').code).not.toBe(0);
  });

  it('upgrade: the processes change, the workload and the edited configuration do not', () => {
    machine.run(`${WORKLOAD} : >/run/understudy/active; systemctl start understudy-active.target`);
    const [since, agent, coordinator] = [workSince(), pidOf('understudy-agent'), pidOf('understudy-coordinator')];
    machine.run('dpkg --force-confold -i /packages/9.0.1/*.deb');
    machine.until(journal('understudy-coordinator', '"version":"9.0.1"'));
    expect(machine.try(`systemctl is-active ${UNITS}`).said).toBe('active\nactive\n');
    expect([pidOf('understudy-agent'), pidOf('understudy-coordinator')]).not.toEqual([agent, coordinator]);
    expect(machine.run(journal('understudy-coordinator', '"version":"9.0.1"'))).toContain('config.effective');
    expect(machine.run('cat /etc/understudy/agent.yaml')).toContain('member: orders/primary');
    expect(machine.run('tail -n 1 /etc/understudy/agent.yaml.dpkg-dist')).toBe('# a later release');
    expect(workSince()).toBe(since);
  });

  it('an upgrade to what refuses the configuration leaves the old process running, and says so', () => {
    machine.run("cp -a /etc/understudy /var/tmp/; sed -i 's/^member:.*/member: nonsense/' /etc/understudy/agent.yaml");
    machine.run("sed -i 's/^az:.*/az: 7/' /etc/understudy/coordinator.yaml");
    const before = [pidOf('understudy-agent'), pidOf('understudy-coordinator')];
    const said = machine.run('dpkg -i /packages/9.0.1/*.deb');
    expect(said).toContain('member: want group/name');
    expect(said).toMatch(/az: .*string/);
    expect([pidOf('understudy-agent'), pidOf('understudy-coordinator')]).toEqual(before);
    machine.run('cp -a /var/tmp/understudy/. /etc/understudy/');
  });

  it('an upgrade does not start what was disabled', () => {
    machine.run(
      'systemctl --quiet disable --now understudy-coordinator; dpkg -i /packages/9.0.1/understudy-coordinator*.deb',
    );
    expect(machine.try('systemctl is-active understudy-coordinator').said).toBe('inactive\n');
    machine.run('systemctl --quiet enable --now understudy-coordinator');
  });

  it('removed, they leave configuration, keys and state; the workload is not touched', () => {
    const since = workSince();
    machine.run('dpkg --remove understudy-agent understudy-coordinator');
    expect(workSince()).toBe(since);
    expect(machine.try('pgrep -f "[/]usr/lib/understudy"').code).toBe(1);
    expect(existsSync(join(machine.folder, 'usr/lib/understudy'))).toBe(false);
    const left = readdirSync(join(machine.folder, 'etc/understudy')).sort();
    expect(left).toEqual(['agent.key', 'agent.yaml', 'agent.yaml.dpkg-dist', 'coordinator.yaml', 'master.key']);
    expect(existsSync(join(machine.folder, 'var/lib/understudy'))).toBe(true);
  });

  it('installed again, they start with what they had', () => {
    machine.run('dpkg --force-confold -i /packages/9.0.1/*.deb');
    expect(machine.try(`systemctl is-active ${UNITS}`).said).toBe('active\nactive\n');
  });

  it('purged, they take all but the master secret and what others made', () => {
    machine.run('dpkg --purge understudy-agent understudy-coordinator');
    expect(readdirSync(join(machine.folder, 'etc/understudy'))).toEqual(['master.key']);
    expect(existsSync(join(machine.folder, 'var/lib/understudy'))).toBe(false);
    const wants = readdirSync(join(machine.folder, 'etc/systemd/system'), { recursive: true }).map(String);
    expect(wants.filter((path) => path.includes('understudy')).sort()).toEqual([
      'understudy-active.target.wants',
      'understudy-active.target.wants/work.service',
    ]);
  });
});
