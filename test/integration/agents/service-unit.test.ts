import { openUdpSocket } from '@understudy/agent';
import { TestCoordinator, TestMetadataService } from '@understudy/agent/testing';
import { SystemClock, until } from '@understudy/shared/node';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layOutProgram, shippedUnit } from './installed.ts';
import { Machine, makeTree, missingForMachines } from './machine.ts';

const clock = new SystemClock();
const missing = missingForMachines() ?? makeTree();
const AGENT = 'understudy-agent.service';
const TARGET = 'understudy-active.target';
/** What `systemd-analyze security` says today. A worse unit needs a reason and another number. */
const EXPOSURE_MAX = '28';
const DB = `[Unit]
Requisite=${TARGET}
PartOf=${TARGET}
After=${TARGET}
AssertPathExists=/run/understudy/active
[Service]
ExecStart=/bin/sleep 1000000
`;
/** A folder of the workload's, as PostgreSQL's is: root may enter it only by its capability. */
const DATA = `[Unit]
Before=${AGENT}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "mkdir -p /data && mount -t tmpfs -o size=8M data /data && chown 1234:1234 /data && chmod 0700 /data"
[Install]
WantedBy=multi-user.target
`;

describe.skipIf(missing !== null)(`the shipped unit${missing === null ? '' : ` (${missing})`}`, () => {
  let machine: Machine;
  let coordinator: TestCoordinator;
  let imds: TestMetadataService;

  beforeAll(async () => {
    imds = await TestMetadataService.open();
    coordinator = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
    machine = new Machine({});
    const program = await layOutProgram(machine.dir);
    machine.bind('/usr/lib/understudy/agent', program);
    const config = {
      member: 'shop/db-1',
      key: { id: 1, file: '/etc/understudy/agent.key' },
      coordinators: [`127.0.0.1:${coordinator.socket.localPort}`],
      heartbeat: { intervalMs: 100 },
      checks: {
        network: { gateway: `tcp:${new URL(imds.endpoint).host}`, dns: 'none', intervalMs: 1_000, deadlineMs: 500 },
        storage: {
          mounts: [{ path: '/data' }],
          probeFiles: ['/data', '/var/lib/understudy'],
          devices: ['/dev/null'],
          intervalMs: 1_000,
          deadlineMs: 900,
        },
        custom: [
          { name: 'query', exec: ['/bin/sh', '-c', '[ -z "$NOTIFY_SOCKET" ]'], intervalMs: 1_000, deadlineMs: 900 },
        ],
      },
      activation: { systemdTarget: TARGET, workloads: ['db.service'], timeoutMs: 2_000 },
    };
    machine.write('/etc/understudy/agent.yaml', JSON.stringify(config), 0o600);
    machine.write('/etc/understudy/agent.key', '0b'.repeat(32), 0o600);
    machine.write(`/etc/systemd/system/${AGENT}`, shippedUnit(AGENT));
    // The machine's own metadata service, and times that a test can wait for.
    const faster = `[Service]\nEnvironment=AWS_EC2_METADATA_SERVICE_ENDPOINT=${imds.endpoint}\nWatchdogSec=8\n`;
    machine.write(`/etc/systemd/system/${AGENT}.d/test.conf`, faster);
    machine.write(`/etc/systemd/system/${TARGET}`, shippedUnit(TARGET));
    machine.write('/etc/systemd/system/db.service', DB);
    machine.write('/etc/systemd/system/data.service', DATA);
    await machine.boot();
    await machine.run('systemctl', 'enable', '--now', 'data.service');
    await machine.run('systemctl', 'add-wants', TARGET, 'db.service');
  });
  afterAll(async () => {
    await machine?.remove();
    await coordinator?.socket.close();
    imds?.close();
  });

  const told = (activation: 'active' | 'fenced') => {
    const incarnation = (coordinator.reply?.incarnation ?? 1) + 1;
    coordinator.reply = { activation, incarnation, term: BigInt(incarnation) };
  };
  const waitFor = (unit: string, state: string) =>
    until(`${unit} is ${state}`, async () => (await machine.stateOf(unit)) === state, 20_000);
  const property = async (name: string) =>
    (await machine.run('systemctl', 'show', '--property', name, '--value', AGENT)).output;

  it('is without faults, and no more exposed than it was', async () => {
    expect(await machine.run('systemd-analyze', 'verify', AGENT, TARGET)).toEqual({ code: 0, output: '' });
    const exposure = await machine.run(
      'systemd-analyze',
      'security',
      '--no-pager',
      `--threshold=${EXPOSURE_MAX}`,
      AGENT,
    );
    expect(exposure.output).toMatch(/Overall exposure level/);
    expect(exposure.code).toBe(0);
  });

  it('starts and says that it is ready, with every check working inside its sandbox', async () => {
    const started = await machine.run('systemctl', 'start', AGENT);
    expect(started).toEqual({ code: 0, output: '' });
    await until(
      'all checks have a result',
      () => [0, 1, 2, 6].every((slot) => coordinator.last?.checks[slot]?.status === 'pass'),
      20_000,
    );
    expect(coordinator.last?.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    const status = /shop\/db-1: standby, 1 of 1 coordinators answer/;
    await until('its status', async () => status.test(await property('StatusText')), 20_000);
  });

  it('tells the workload, which another user may read, and starts it without a capability for that', async () => {
    told('active');
    await waitFor('db.service', 'active');
    expect((await machine.run('stat', '-c', '%a', '/run/understudy/activation.json')).output).toBe('644');
    expect((await machine.run('stat', '-c', '%a', '/var/lib/understudy')).output).toBe('700');
    const caps = await machine.run(
      'sh',
      '-c',
      `grep CapEff /proc/$(systemctl show -p MainPID --value ${AGENT})/status`,
    );
    // CAP_DAC_OVERRIDE (bit 1) and CAP_SYS_BOOT (bit 22).
    expect(caps.output).toMatch(/0000000000400002/);
  });

  it('sees an agent that somebody started by hand, with all his rights, and leaves it alone', async () => {
    await machine.run('systemctl', 'stop', AGENT);
    // A container hides the kernel's boot id, but not from a service with a /proc of its own.
    const command =
      'umount /proc/sys/kernel/random/boot_id; exec /usr/lib/understudy/agent/bin/understudy-agent --config /etc/understudy/agent.yaml';
    const byHand = `AWS_EC2_METADATA_SERVICE_ENDPOINT=${imds.endpoint} setsid unshare --mount sh -c '${command}' >/tmp/by-hand 2>&1 & echo $!`;
    const pid = (await machine.run('sh', '-c', byHand)).output;
    await until('it runs', async () => (await machine.run('grep', '-q', 'agent.started', '/tmp/by-hand')).code === 0);
    await machine.run('sh', '-c', `systemctl start --no-block ${AGENT}`);
    await until('it was refused', async () => (await property('ExecMainStatus')) === '69', 20_000);
    await machine.run('sh', '-c', `kill -KILL ${pid}`);
    await waitFor(AGENT, 'active');
  });

  it('an agent that is stopped (SIGSTOP) is killed by systemd within its watchdog, and started again', async () => {
    await waitFor(AGENT, 'active');
    const before = await property('MainPID');
    const beganAtMs = clock.monotonicMs();
    await machine.run('systemctl', 'kill', '--kill-who=main', '-s', 'STOP', AGENT);
    await until('another process', async () => !['0', before].includes(await property('MainPID')), 30_000);
    expect(clock.monotonicMs() - beganAtMs).toBeLessThan(8_000 + 5_000);
    expect(Number(await property('NRestarts'))).toBeGreaterThan(0);
    expect((await machine.run('journalctl', '-u', AGENT, '--grep', 'Watchdog timeout')).code).toBe(0);
  });

  it('a stop that takes longer than TimeoutStopSec is waited for, because the agent asks for that', async () => {
    await machine.run('mkdir', '-p', `/run/systemd/system/${AGENT}.d`);
    await machine.run(
      'sh',
      '-c',
      `printf '[Service]\\nTimeoutStopSec=3\\n' > /run/systemd/system/${AGENT}.d/short.conf`,
    );
    await machine.run(
      'sh',
      '-c',
      "printf '[Service]\\nExecStop=/bin/sleep 6\\n' > /run/systemd/system/slow.conf; mkdir -p /run/systemd/system/db.service.d; mv /run/systemd/system/slow.conf /run/systemd/system/db.service.d/",
    );
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('sed', '-i', 's/"timeoutMs":2000/"timeoutMs":20000/', '/etc/understudy/agent.yaml');
    await machine.run('systemctl', 'restart', AGENT);
    told('active');
    await waitFor('db.service', 'active');
    await machine.run('systemctl', 'stop', AGENT);
    expect(await property('Result')).toBe('success');
    expect(await machine.stateOf('db.service')).toBe('inactive');
    await machine.run('sh', '-c', 'rm -r /run/systemd/system/*.d');
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('sed', '-i', 's/"timeoutMs":20000/"timeoutMs":2000/', '/etc/understudy/agent.yaml');
    await machine.run('systemctl', 'start', AGENT);
  });

  it('a fenced machine whose workload no signal ends switches itself off', async () => {
    told('active');
    await waitFor('db.service', 'active');
    const pid = await machine.pidOutside('db.service');
    const freezer = `/sys/fs/cgroup/freezer/understudy-${process.pid}`;
    mkdirSync(freezer);
    try {
      writeFileSync(join(freezer, 'cgroup.procs'), String(pid));
      writeFileSync(join(freezer, 'freezer.state'), 'FROZEN');
      told('fenced');
      await until(
        'systemd shuts down',
        () => readFileSync(`/proc/${machine.firstPid}/comm`, 'utf8').startsWith('systemd-shut'),
        40_000,
      );
      // Not even SIGKILL has ended it.
      expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n');
    } finally {
      writeFileSync(join(freezer, 'freezer.state'), 'THAWED');
    }
    await until('the machine is off', () => !machine.isOn, 30_000);
    rmdirSync(freezer);
    await machine.cutPower();
  });

  it('and without the help of systemd, as its sandbox allows', async () => {
    await machine.boot();
    const sandbox = [
      'CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_SYS_BOOT',
      'NoNewPrivileges=yes',
      'SystemCallFilter=@system-service reboot',
    ];
    const args = sandbox.flatMap((one) => ['--property', one]);
    await machine.run('systemd-run', '--no-block', ...args, 'systemctl', 'poweroff', '--force', '--force');
    await until('the machine is off', () => !machine.isOn, 20_000);
    await machine.cutPower();
  });
});
