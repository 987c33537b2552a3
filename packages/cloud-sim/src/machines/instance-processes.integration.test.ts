import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { CloudSimConfigSchema } from '../config.ts';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { type SeededInstance, seedInstance } from '../seed-instance.ts';
import { withRootDir } from './process-driver.ts';

/** Stands in for the agent: it says who it is, notes SIGTERM, and stays. */
const GUEST = `
const fs = require('node:fs');
const file = process.argv[process.argv.indexOf('--config') + 1];
const root = /rootDir: (.*)/.exec(fs.readFileSync(file, 'utf8'))[1];
const note = (text) => fs.appendFileSync(root + '/boots', text + '\\n');
process.on('SIGTERM', () => { note('term'); process.exit(0); });
setInterval(() => {}, 1000);
(async () => {
  const base = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  const put = await fetch(base + 'latest/api/token', { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' } });
  const get = await fetch(base + 'latest/meta-data/instance-id', { headers: { 'x-aws-ec2-metadata-token': await put.text() } });
  note('boot ' + (await get.text()) + ' ' + process.pid);
  fs.writeFileSync(root + '/hardware', ['INSTANCE_ID', 'ZONE', 'PRIVATE_IP'].map((name) => process.env['CLOUD_SIM_' + name]).join(' ') + ' ' + base);
  console.log('hello from the guest');
})();
`;

let workDir: string;
let guest: string;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

const configOf = (speed: number) => ({
  workDir,
  speed,
  http: { port: 0 },
  machine: { command: [process.execPath, guest] },
  latency: { 'instance.terminated-visible': [speed * 300, speed * 300] },
});

beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  guest = join(workDir, 'guest.cjs');
  writeFileSync(guest, GUEST);
});
afterEach(() => rmSync(workDir, { recursive: true, force: true }));

async function withServer(work: (server: RunningCloudSim) => Promise<void>, over: object = {}): Promise<void> {
  const server = await startCloudSim(CloudSimConfigSchema.parse({ ...configOf(500), ...over }), {
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
    env: process.env,
  });
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

const seedGuest = (server: RunningCloudSim): SeededInstance =>
  seedInstance(server.sim, {
    userData: '# kept\nmember: db/one\nchecks: {}\n',
    dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }],
  });

const rootOf = (db: SeededInstance): string => join(workDir, 'volumes', db.volumeIds['/dev/xvda'] ?? '');
const boots = (root: string): string[] => {
  const file = join(root, 'boots');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

test('rootDir is set in the user data and nothing else is touched', () => {
  const text = withRootDir('# kept\nmember: db/one\nlist: [1, 2]\n', '/r');
  expect(text).toContain('# kept');
  expect(parse(text)).toEqual({ member: 'db/one', list: [1, 2], rootDir: '/r' });
  expect(withRootDir('#!/bin/sh\necho hi', '/r')).toBe('#!/bin/sh\necho hi');
  expect(withRootDir('a: [', '/r')).toBe('a: [');
});

test('booting starts the agent with its volumes, its configuration and its metadata; stop and start boot it again', async () => {
  await withServer(async (server) => {
    const db = seedGuest(server);
    const root = rootOf(db);
    await until('first boot', () => boots(root).length === 1);
    expect(boots(root)[0]).toContain(db.instanceId);
    const config = readFileSync(join(root, 'etc/understudy/agent.yaml'), 'utf8');
    expect(config).toContain('# kept');
    expect(parse(config)).toMatchObject({ member: 'db/one', rootDir: root });
    const data = join(workDir, 'volumes', db.volumeIds['/dev/sdf'] ?? '');
    expect([readlinkSync(join(root, 'mnt/sdf')), readlinkSync(join(root, 'dev/sdf'))]).toEqual([data, data]);
    const log = join(workDir, 'machines', db.instanceId, 'agent.log');
    await until('agent log', () => existsSync(log) && readFileSync(log, 'utf8').includes('hello from the guest'));
    await server.sim.call('StopInstances', { InstanceIds: [db.instanceId] });
    await until('stopped', () => server.sim.core.region.instances.get(db.instanceId)?.state === 'stopped');
    expect(boots(root).at(-1)).toBe('term');
    expect(server.imdsPorts()).toEqual({});
    await server.sim.call('StartInstances', { InstanceIds: [db.instanceId] });
    await until('second boot', () => boots(root).filter((line) => line.startsWith('boot')).length === 2);
  });
});

test('a crash kills the agent without a word, the instance stays running; a reboot brings it back', async () => {
  await withServer(async (server) => {
    const db = seedGuest(server);
    const root = rootOf(db);
    await until('boot', () => boots(root).length === 1);
    const pid = Number(boots(root)[0]?.split(' ')[2]);
    const answer = await fetch(`${server.url}/_sim/instances/${db.instanceId}/crash`, { method: 'POST' });
    expect(answer.status).toBe(200);
    await until('dead', () => !isAlive(pid));
    expect(boots(root)).toHaveLength(1);
    expect(server.sim.core.region.instances.get(db.instanceId)?.state).toBe('running');
    const rebooted = await server.sim.call('RebootInstances', { InstanceIds: [db.instanceId] });
    expect(rebooted).toHaveProperty('output');
    await until('rebooted', () => boots(root).length === 2);
  });
});

test('where blocks come lazily, a machine with a volume from a snapshot is up that much later', async () => {
  // 1 GiB takes 3 s at this speed, to come and to be read.
  const lazy = { 'volume.initialize-per-gib': [1.5e6, 1.5e6], 'volume.first-read-per-gib': [1.5e6, 1.5e6] };
  const latency = { ...configOf(500).latency, ...lazy, 'instance.reboot': [0, 0] };
  await withServer(
    async ({ sim, ...server }) => {
      const db = seedGuest({ sim, ...server });
      await until('boot', () => boots(rootOf(db)).length === 1);
      const { SnapshotId } = sim.seed('CreateSnapshot', { VolumeId: db.volumeIds['/dev/sdf'] });
      const made = await sim.call('CreateVolume', { AvailabilityZone: db.az, VolumeType: 'gp3', SnapshotId });
      const VolumeId = 'output' in made ? String(made.output['VolumeId']) : '';
      await until('available', () => sim.core.region.volumes.get(VolumeId)?.state === 'available');
      sim.seed('AttachVolume', { VolumeId, InstanceId: db.instanceId, Device: '/dev/sdg' });
      await sim.call('RebootInstances', { InstanceIds: [db.instanceId] });
      await until('booted again', () => boots(rootOf(db)).length === 2);
      const begun = sim.log.transitions(db.instanceId).findLast(({ detail }) => detail['reboot'] === true);
      const slowMs = Number(begun?.detail['firstReadsMs']);
      expect(slowMs).toBeGreaterThan(500);
      expect(sim.clock.monotonicMs() - (begun?.atMs ?? 0)).toBeGreaterThanOrEqual(slowMs);
    },
    { latency },
  );
});

test('a snapshot holds what was written before its request, and a volume made from it starts there', async () => {
  await withServer(async (server) => {
    const db = seedGuest(server);
    const root = rootOf(db);
    const data = join(root, 'mnt/sdf');
    await until('boot', () => boots(root).length === 1);
    writeFileSync(join(data, 'ledger'), 'before');
    const reply = await server.sim.call('CreateSnapshots', { InstanceSpecification: { InstanceId: db.instanceId } });
    writeFileSync(join(data, 'ledger'), 'after');
    const output = 'output' in reply ? reply.output : {};
    const snapshots = output['Snapshots'] as { SnapshotId: string; VolumeId: string }[];
    const ofData = snapshots.find((one) => one.VolumeId === db.volumeIds['/dev/sdf'])?.SnapshotId ?? '';
    expect(readFileSync(join(workDir, 'snapshots', ofData, 'ledger'), 'utf8')).toBe('before');
    await until('completed', () => server.sim.core.region.snapshots.get(ofData)?.state === 'completed');
    const heir = seedInstance(server.sim, {
      request: { BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { SnapshotId: ofData } }] },
    });
    const copy = join(workDir, 'volumes', heir.volumeIds['/dev/sdf'] ?? '', 'ledger');
    expect(readFileSync(copy, 'utf8')).toBe('before');
    writeFileSync(copy, 'the heir writes on');
    expect(readFileSync(join(data, 'ledger'), 'utf8')).toBe('after');
  });
});

test('the command is told what it starts, and where the metadata are', async () => {
  const imds = { host: '127.0.0.2' };
  await withServer(
    async (server) => {
      const db = seedGuest(server);
      await until('boot', () => boots(rootOf(db)).length === 1 && existsSync(join(rootOf(db), 'hardware')));
      const port = server.imdsPorts()[db.instanceId];
      const hardware = `${db.instanceId} us-east-1a ${db.privateIp} http://127.0.0.2:${port}/`;
      expect(readFileSync(join(rootOf(db), 'hardware'), 'utf8')).toBe(hardware);
    },
    { imds },
  );
});

test('a terminated instance takes its root volume along and leaves its data volume', async () => {
  await withServer(async (server) => {
    const db = seedGuest(server);
    await until('boot', () => boots(rootOf(db)).length === 1);
    const pid = Number(boots(rootOf(db))[0]?.split(' ')[2]);
    await server.sim.call('TerminateInstances', { InstanceIds: [db.instanceId], SkipOsShutdown: true });
    await until('terminated', () => server.sim.core.region.instances.get(db.instanceId)?.state === 'terminated');
    await until('dead', () => !isAlive(pid));
    expect(existsSync(rootOf(db))).toBe(false);
    expect(existsSync(join(workDir, 'volumes', db.volumeIds['/dev/sdf'] ?? ''))).toBe(true);
    const machineDir = join(workDir, 'machines', db.instanceId);
    expect(existsSync(machineDir)).toBe(true);
    await until('forgotten', () => !server.sim.core.region.instances.has(db.instanceId));
    expect(existsSync(machineDir)).toBe(false);
  });
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`no machine outlives a cloud-sim that got ${signal}`, async () => {
    const config = join(workDir, 'cloud-sim.yaml');
    writeFileSync(config, stringify(configOf(50)));
    const starter = join(workDir, 'start.mts');
    const main = fileURLToPath(new URL('../main.ts', import.meta.url));
    const seed = fileURLToPath(new URL('../seed-instance.ts', import.meta.url));
    writeFileSync(
      starter,
      `const { runCloudSim } = await import(${JSON.stringify(main)});
       const { seedInstance } = await import(${JSON.stringify(seed)});
       const server = await runCloudSim({ configFile: ${JSON.stringify(config)} });
       const made = seedInstance(server.sim, { userData: 'member: db/one\\n' });
       console.log('seeded ' + made.volumeIds['/dev/xvda']);`,
    );
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', starter], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    const gone = new Promise<number | null>((resolve) => {
      child.once('exit', (code) => resolve(code));
    });
    try {
      const volumeId = await until('seeded', () => /seeded (vol-\w+)/.exec(out)?.[1]);
      const line = await until('listening', () => /^.*cloud-sim\.listening.*$/m.exec(out)?.[0]);
      expect(JSON.parse(line)).toMatchObject({ port: expect.any(Number), dnsPort: expect.any(Number) });
      const root = join(workDir, 'volumes', volumeId);
      await until('boot', () => boots(root).length === 1);
      const pid = Number(boots(root)[0]?.split(' ')[2]);
      expect(isAlive(pid)).toBe(true);
      child.kill(signal);
      expect(await gone).toBe(signal === 'SIGTERM' ? 0 : null);
      await until('machine dead', () => !isAlive(pid));
    } finally {
      child.kill('SIGKILL');
    }
  });
}
