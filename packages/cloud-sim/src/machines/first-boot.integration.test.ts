import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CloudSimConfigSchema } from '../config.ts';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { type SeededInstance, seedInstance } from '../seed-instance.ts';

let workDir: string;
let server: RunningCloudSim;

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  server = await startCloudSim(CloudSimConfigSchema.parse({ workDir, http: { port: 0 } }), {
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
    env: process.env,
  });
});
afterEach(async () => {
  await server.close();
  rmSync(workDir, { recursive: true, force: true });
});

const fileOn = (instance: SeededInstance, device: string, name: string) =>
  join(workDir, 'volumes', instance.volumeIds[device] ?? '', name);

/** Another machine from the disks of the first one, with its user data. */
function restore(old: SeededInstance, userData: string): SeededInstance {
  const { sim } = server;
  const { Snapshots } = sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
  const of = (device: string) =>
    (Snapshots as { SnapshotId: string; VolumeId: string }[]).find((one) => one.VolumeId === old.volumeIds[device])
      ?.SnapshotId;
  const { ImageId } = sim.seed('RegisterImage', {
    Name: `restored-${old.instanceId}`,
    Architecture: 'x86_64',
    RootDeviceName: '/dev/xvda',
    VirtualizationType: 'hvm',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: of('/dev/xvda') } }],
  });
  const BlockDeviceMappings = [{ DeviceName: '/dev/sdf', Ebs: { SnapshotId: of('/dev/sdf') } }];
  return seedInstance(sim, { userData, request: { ImageId, BlockDeviceMappings } });
}

async function dataAfter(userData: string): Promise<{ readonly kept: boolean; readonly fresh: SeededInstance }> {
  const old = seedInstance(server.sim, { userData, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
  writeFileSync(fileOn(old, '/dev/sdf', 'orders'), 'a thousand orders');
  const fresh = restore(old, userData);
  // The old machine's disk is untouched.
  expect(existsSync(fileOn(old, '/dev/sdf', 'orders'))).toBe(true);
  return { kept: existsSync(fileOn(fresh, '/dev/sdf', 'orders')), fresh };
}

test('a restored data disk that the user data formats is empty at the first boot; with other user data it is not', async () => {
  const formats = '#cloud-config\nfs_setup: [{ device: /dev/sdf, filesystem: ext4, overwrite: false }]\n';
  expect((await dataAfter(formats)).kept).toBe(false);
  expect((await dataAfter('member: db/one\n')).kept).toBe(true);
});

test("the agent's configuration comes out of write_files", async () => {
  const content = 'member: db/one';
  const userData = `#cloud-config\nwrite_files: [{ path: /etc/understudy/agent.yaml, content: "${content}" }]\n`;
  const { fresh } = await dataAfter(userData);
  const file = fileOn(fresh, '/dev/xvda', 'etc/understudy/agent.yaml');
  for (let i = 0; i < 400 && !existsSync(file); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  expect(readFileSync(file, 'utf8')).toMatch(/^member: db\/one\nrootDir: /);
});
