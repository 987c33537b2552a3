import type { Cloud, PlannedVolume } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { capturedBeside, volumesOf } from './captured-volumes.ts';
import { cloudError, cloudInstance, cloudVolume, OLD, putThrough, RunRig } from '../run.fixtures.ts';

const set = (...volumeIds: string[]) => ({
  number: 1,
  snapshots: volumeIds.map((volumeId) => ({
    ...{
      snapshotId: `snap-${volumeId}`,
      volumeId,
      state: 'completed' as const,
      progressPercent: 100,
      startedAtWallMs: 0,
      tags: {},
    },
  })),
});
const attachedTo = (...volumeIds: string[]) =>
  cloudInstance(OLD, {
    state: 'stopped',
    volumes: volumeIds.map((volumeId, index) => ({
      deviceName: `/dev/sd${index}`,
      volumeId,
      deleteOnTermination: false,
    })) as never,
  });

async function beside(volumeIds: string[], cloud: Partial<Cloud>, how: 'stopped' | 'terminated' = 'stopped') {
  const rig = new RunRig({ cloud });
  putThrough(rig, 'fence', { fence: { result: { how } } });
  const run = await rig.run();
  const found = await rig.clock.runUntilSettled(capturedBeside(run, set('vol-1', ...volumeIds)));
  const logged = (event: string) => rig.log.linesOf(event).map(({ fields }) => fields['volumeIds']);
  return {
    ids: found.map((one) => one.volumeId),
    added: logged('recovery.volumes_added'),
    left: logged('recovery.volumes_left_out'),
  };
}
const describeVolumes: Cloud['describeVolumes'] = async ({ 'volume-id': ids = [] }) => ids.map((id) => cloudVolume(id));

describe('volumes captured beside those of the plan', () => {
  test('are carried where they are still on the old instance', async () => {
    const describeInstances = async () => [cloudInstance('i-other'), attachedTo('vol-1', 'vol-2')];
    expect(await beside(['vol-2'], { describeInstances, describeVolumes })).toEqual({
      ids: ['vol-2'],
      added: [['vol-2']],
      left: [],
    });
  });

  test('that were taken off again are left where they are, and said', async () => {
    const describeInstances = async () => [attachedTo('vol-1', 'vol-2')];
    expect(await beside(['vol-2', 'vol-3'], { describeInstances, describeVolumes })).toEqual({
      ...{ ids: ['vol-2'], added: [['vol-2']], left: [['vol-3']] },
    });
    const none = await beside(['vol-3'], { describeInstances, describeVolumes });
    expect(none).toEqual({ ids: [], added: [], left: [['vol-3']] });
  });

  test('are those that were asked for, whatever else EC2 shows', async () => {
    const cloud: Partial<Cloud> = {
      describeInstances: async () => [attachedTo('vol-1', 'vol-2')],
      describeVolumes: async () => [cloudVolume('vol-1'), cloudVolume('vol-2')],
    };
    expect((await beside(['vol-2'], cloud)).ids).toEqual(['vol-2']);
  });

  test('need no read where there are none', async () => {
    expect((await beside([], {})).ids).toEqual([]);
  });

  test('are looked for again while EC2 does not show the stopped instance', async () => {
    const cloud = { describeInstances: async () => [], describeVolumes };
    await expect(beside(['vol-2'], cloud)).rejects.toMatchObject({ code: 'CLOUD_NOT_FOUND' });
    const none = await beside(['vol-2'], cloud, 'terminated');
    expect(none, 'a terminated one is not shown for ever').toEqual({ ids: [], added: [], left: [['vol-2']] });
  });

  test('are asked for by their ids, of the old instance alone', async () => {
    const asked: unknown[] = [];
    const cloud: Partial<Cloud> = {
      describeInstances: async (filters) => {
        asked.push(filters);
        return [attachedTo('vol-1', 'vol-2')];
      },
      describeVolumes: async (filters) => {
        asked.push(filters);
        return [cloudVolume('vol-2')];
      },
    };
    await beside(['vol-2'], cloud);
    expect(asked).toEqual([{ 'instance-id': [OLD] }, { 'volume-id': ['vol-2'] }]);
  });

  test('are said to be unread where they cannot be read', async () => {
    const describeInstances = () => Promise.reject(cloudError('CLOUD_UNAVAILABLE'));
    await expect(beside(['vol-2'], { describeInstances, describeVolumes })).rejects.toMatchObject({
      code: 'CLOUD_UNAVAILABLE',
    });
  });
});

test('the disks of the replacement are those of the plan and those captured beside them', async () => {
  const rig = new RunRig();
  expect(volumesOf(await rig.run()).map((one) => one.volumeId)).toEqual(['vol-1']);
  const [planned] = rig.intent.record.plan.volumes;
  const extra = { ...planned, volumeId: 'vol-2', isRoot: false } as PlannedVolume;
  const result = { set: 1, snapshots: [], beside: [extra] };
  putThrough(rig, 'capture', { capture: { result } });
  expect(volumesOf(await rig.run()).map((one) => one.volumeId)).toEqual(['vol-1', 'vol-2']);
});
