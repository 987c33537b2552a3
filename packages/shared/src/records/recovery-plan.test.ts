import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../policy.ts';
import { parseRecord } from './record.ts';
import { isSnapshotAndReplace, RecoveryPlanSchema } from './recovery.ts';

const volume = {
  ...{ volumeId: 'vol-1', deviceName: '/dev/xvda', isRoot: true, sizeGiB: 8, volumeType: 'gp3', iops: null },
  ...{ throughputMiBps: null, encrypted: false, kmsKeyId: null, deleteOnTermination: true, tags: {} },
};
const base = {
  ...{ policy: DEFAULT_POLICY, volumes: [volume], addresses: [], primaryInterfaceId: null, losses: [] },
  protection: { stop: false, termination: false },
  oldLaunchedAtWallMs: null,
};
const replacing = {
  ...base,
  strategy: 'snapshot-and-replace',
  candidates: [{ subnetId: 's', az: 'a', instanceType: 't' }],
  ...{ securityGroupIds: [], sourceDestCheck: true, networkInterfaceTags: {}, instanceTags: {}, launchBase: {} },
  image: {
    ...{ rootDeviceName: '/dev/xvda', architecture: 'x86_64', bootMode: null, enaSupport: true, tpmSupport: null },
    ...{ sriovNetSupport: null, virtualizationType: null, imdsSupport: null },
  },
};
const read = (plan: object) => parseRecord(RecoveryPlanSchema, 'key', JSON.stringify(plan));

describe('a plan', () => {
  test('of a strategy that is described is read in full', () => {
    expect(read(replacing)).toEqual(replacing);
    expect(isSnapshotAndReplace(read(replacing))).toBe(true);
  });

  test('of another strategy is kept whole, and is no plan of ours', () => {
    const other = { ...base, strategy: 'reboot', graceMs: 5_000 };
    expect(read(other)).toEqual(other);
    expect(isSnapshotAndReplace(read(other))).toBe(false);
  });

  test('of a strategy that is described keeps what a newer build has added to it', () => {
    const newer = { ...replacing, hooks: ['x'], image: { ...replacing.image, uefiVars: 'y' } };
    expect(read(newer)).toEqual(newer);
    expect(isSnapshotAndReplace(read(newer))).toBe(true);
  });

  test('never passes for one of another strategy because it is broken', () => {
    expect(() => read({ ...replacing, candidates: [] })).toThrow(/ key: candidates: /);
    expect(() => read({ ...replacing, image: { ...replacing.image, bootMode: 7 } })).toThrow(/ key: image\.bootMode: /);
  });

  test.each(['policy', 'volumes', 'addresses', 'protection', 'losses'] as const)(
    'of whatever strategy has its %s',
    (field) => {
      const { [field]: _, ...rest } = base;
      expect(() => read({ ...rest, strategy: 'reboot' })).toThrow('key: ');
    },
  );
});
