import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import type { Cluster } from '../cluster/cluster.ts';
import { ledgerIsWhole } from '../cluster/ledger.ts';
import { seconds } from '../report.ts';
import type { Scenario } from '../scenario.ts';

const WATCHED_FOR_MS = 8_000;
const POLL_MS = 500;

/** A person restores the member's disks while it runs, under its name. Returns the new instance. */
async function restore({ world }: Cluster, member: string): Promise<string> {
  const { instances, volumes } = world.sim.core.region;
  const source = instances.get(member);
  assert(source, 'the member exists');
  const { Snapshots } = await world.call('CreateSnapshots', { InstanceSpecification: { InstanceId: member } });
  const taken = Snapshots as readonly { SnapshotId: string; VolumeId: string }[];
  const isReady = () =>
    taken.every(({ SnapshotId }) => world.sim.core.region.snapshots.get(SnapshotId)?.state === 'completed');
  await until('the snapshots are complete', isReady, 60_000);
  const mapping = taken.map(({ SnapshotId, VolumeId }) => ({
    DeviceName: volumes.get(VolumeId)?.attachments[0]?.device ?? '',
    Ebs: { SnapshotId, DeleteOnTermination: true },
  }));
  const root = mapping.filter(({ DeviceName }) => DeviceName === source.rootDeviceName);
  const image = {
    Name: `restored-${member}`,
    Architecture: source.architecture,
    RootDeviceName: source.rootDeviceName,
  };
  const { ImageId } = await world.call('RegisterImage', { ...image, BlockDeviceMappings: root });
  const isThere = () => world.sim.core.region.images.get(String(ImageId))?.state === 'available';
  await until('the image is available', isThere, 30_000);
  return world.launch({
    member: `${source.tags['understudy:group']}/${source.tags['understudy:member']}`,
    ...(source.userData !== null && { userData: Buffer.from(source.userData, 'base64').toString('utf8') }),
    request: { ImageId, BlockDeviceMappings: mapping.filter(({ DeviceName }) => DeviceName !== source.rootDeviceName) },
  }).instanceId;
}

export const diskRestored: Scenario = {
  name: 'disk-restored',
  fault: "a person boots a copy of the running member's disks, under its name",
  expected: 'the copy finds out that it is another instance, and never serves; the member goes on',
  run: async (cluster) => {
    const { world, writer, clock } = cluster;
    const member = await cluster.incumbent();
    const startedAtMs = clock.monotonicMs();
    const copy = await restore(cluster, member);
    const state = await world.booted(copy);
    const bootedAtMs = clock.monotonicMs();
    while (clock.monotonicMs() < bootedAtMs + WATCHED_FOR_MS) {
      assert.equal(await cluster.serves(copy), false, 'the copy serves');
      assert.equal((await world.run(copy, 'test', '-e', '/run/understudy/active')).code, 1, 'the copy was activated');
      await clock.sleep(POLL_MS);
    }
    const said = await world.shell(copy, 'journalctl --no-pager -o cat | grep agent.disk.restored | head -n 1');
    assert.match(said, new RegExp(`"was":"${member}","is":"${copy}"`));
    const version = await world.shell(copy, 'cat /data/main/PG_VERSION');
    assert.equal(version, '15', "the copy has the member's data");
    assert.equal(await cluster.incumbent(), member, 'the member stays the one');
    const gapMs = writer.longestGapMs(startedAtMs);
    await world.call('TerminateInstances', { InstanceIds: [copy] });
    await until(`${copy} is terminated`, () => world.state(copy) === 'terminated', 60_000);
    return {
      evidence: `${copy} booted (${state}) from the disks of ${member} and said so`,
      outcome: `it did not serve; longest wait of the writer ${seconds(gapMs)}, the copying of the disks included; ${await ledgerIsWhole(cluster, member)}`,
    };
  },
};
