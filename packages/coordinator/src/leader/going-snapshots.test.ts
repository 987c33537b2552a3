import { type CloudSnapshot, TAG } from '@understudy/shared';
import { expect, test } from 'vitest';
import type { ClusterRecords } from '../store/cluster-records.ts';
import { withoutGoing } from './going-snapshots.ts';

const snapshot = (snapshotId: string, tags: Readonly<Record<string, string>> = {}): CloudSnapshot => ({
  ...{ snapshotId, volumeId: 'vol-1', state: 'completed', progressPercent: 100, startedAtWallMs: 0 },
  tags,
});
const stored = (record: object) => ({ record, modRevision: 1 });

test('a plan is made without what was made for a suspect that was heard again, and with all else', () => {
  const records = {
    preparations: new Map([
      ['op-open', stored({})],
      ['op-dropped', stored({ dropped: { why: 'heard', atWallMs: 1 } })],
    ]),
    prepared: new Map([
      ['db', stored({ gone: [{ opId: 'op-gone', atWallMs: 1 }] })],
      ['ci', stored({})],
    ]),
  } as unknown as Pick<ClusterRecords, 'preparations' | 'prepared'>;
  const of = (opId: string) => snapshot(`snap-${opId}`, { [TAG.op]: opId });
  const snapshots = [snapshot('snap-own'), ...['op-open', 'op-dropped', 'op-gone', 'op-ended'].map(of)];
  const left = withoutGoing(snapshots, records).map((one) => one.snapshotId);
  expect(left).toEqual(['snap-own', 'snap-op-open', 'snap-op-ended']);
});
