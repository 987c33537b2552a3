import type { Cloud, JournalRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { cloudInstance, LAUNCH_REQUEST, OLD } from '../run.fixtures.ts';
import { Asked } from './ways-out.fixtures.ts';

describe('giving something up', () => {
  const addresses = [{ allocationId: 'eipalloc-1', publicIp: '1.1.1.1', associationId: null }];

  test('an address: it is not moved, and what was recorded of its move goes', async () => {
    const rig = new Asked({ plan: { addresses } });
    rig.putStep('address-eipalloc-1');
    rig.ask({ kind: 'accept-loss', loss: 'address:eipalloc-1' });
    await rig.carryOut();
    expect(rig.stored).toMatchObject({ plan: { addresses: [] }, acceptedLosses: ['address:eipalloc-1'] });
    expect([rig.said, rig.step('address-eipalloc-1')]).toEqual(['given up: address:eipalloc-1', null]);
  });

  test('an address whose move has not begun', async () => {
    const rig = new Asked({ plan: { addresses }, intent: { acceptedLosses: ['address:eipalloc-0'] } });
    rig.ask({ kind: 'accept-loss', loss: 'address:eipalloc-1' });
    await rig.carryOut();
    expect(rig.stored.acceptedLosses).toEqual(['address:eipalloc-0', 'address:eipalloc-1']);
  });

  test('an address that is on the replacement already is not given up', async () => {
    const rig = new Asked({ plan: { addresses } });
    rig.putStep('address-eipalloc-1', { state: 'done', result: { associationId: 'as-1' } });
    rig.ask({ kind: 'accept-loss', loss: 'address:eipalloc-1' });
    await rig.carryOut();
    expect(rig.said).toBe('refused: eipalloc-1 is on the replacement, or known to be gone');
  });

  test('is asked again where the capture has gone on meanwhile', async () => {
    const rig = new Asked({ plan: { addresses } });
    rig.ask({ kind: 'accept-loss', loss: 'address:eipalloc-1' });
    const { outcome } = await rig.carryOut(() => rig.putStep('capture'));
    expect(outcome).toEqual({ kind: 'again' });
    expect(rig.stored.plan.addresses).toEqual(addresses);
  });

  test('nothing is given up by naming nothing', async () => {
    const rig = new Asked();
    rig.ask({ kind: 'accept-loss', loss: null });
    await rig.carryOut();
    expect(rig.said).toMatch(/^refused: /);
  });
});

describe('giving up a volume', () => {
  const plain = new Asked().intent.record.plan.volumes.map((one) => ({ ...one, isRoot: false }));
  const root = plain.map((one) => ({ ...one, volumeId: 'vol-0', isRoot: true }));
  const onlyOther: Cloud['describeInstances'] = async () => [
    cloudInstance('i-x', { volumes: [{ volumeId: 'vol-1' }] as never }),
  ];
  /** EC2 shows the old instance, and these volumes on it. */
  const showing = (volumes: readonly object[]): Cloud['describeInstances'] => {
    const old = cloudInstance(OLD, { volumes: volumes as never });
    return async (filters) => [...(await onlyOther(filters)), ...(filters['instance-id']?.includes(OLD) ? [old] : [])];
  };
  const askFor = (describeInstances: Cloud['describeInstances']): Asked => {
    const rig = new Asked({ plan: { volumes: [...root, ...plain] }, cloud: { describeInstances } });
    rig.ask({ kind: 'accept-loss', loss: 'volume:vol-1' });
    return rig;
  };
  const left = (rig: Asked) => rig.stored.plan.volumes.map((one) => one.volumeId);
  const set = { number: 1, snapshots: [{ snapshotId: 'snap-1', volumeId: 'vol-1' }], notedAtWallMs: 1 };
  const noted = (given: typeof set | null): Partial<JournalRecord> => ({
    result: { sends: {}, noted: { set: given, failedSets: [] } },
  });

  test.each([
    ['the old instance has it no more', showing([])],
    ['the old instance has another', showing([{ volumeId: 'vol-2' }])],
    ['EC2 does not show the old instance', onlyOther],
  ])('leaves it out of the plan: %s', async (_name, describeInstances) => {
    const rig = askFor(describeInstances);
    await rig.carryOut();
    expect([rig.said, left(rig)]).toEqual(['given up: volume:vol-1', ['vol-0']]);
  });

  test('that is on the old instance still is refused', async () => {
    const rig = askFor(showing([{ volumeId: 'vol-1' }, { volumeId: 'vol-2' }]));
    await rig.carryOut();
    expect([rig.said, left(rig)]).toEqual([expect.stringMatching(/^refused: vol-1 is attached/), ['vol-0', 'vol-1']]);
  });

  test.each<[string, string, Partial<JournalRecord>]>([
    ['is captured', 'capture', { state: 'done', result: { set: 1, snapshots: set.snapshots, beside: [] } }],
    ['is in the set of snapshots that is recorded', 'capture', noted(set)],
  ])('that %s is refused: its data is not lost', async (_name, step, record) => {
    const rig = askFor(showing([]));
    rig.putStep(step, record);
    await rig.carryOut();
    expect([rig.said, left(rig)]).toEqual([
      'refused: vol-1 has been captured: nothing of it is lost',
      ['vol-0', 'vol-1'],
    ]);
  });

  test('whose capture has no set of snapshots yet is no obstacle', async () => {
    const rig = askFor(showing([]));
    rig.putStep('capture', noted(null));
    await rig.carryOut();
    expect(left(rig)).toEqual(['vol-0']);
  });

  test('is refused once anything was launched, whatever else the journal says', async () => {
    const rig = askFor(showing([]));
    rig.putStep('launch-1', { request: LAUNCH_REQUEST });
    await rig.carryOut();
    expect([rig.said, left(rig)]).toEqual(['refused: a replacement was launched with it already', ['vol-0', 'vol-1']]);
  });

  test('is asked again where the capture was recorded meanwhile', async () => {
    const rig = askFor(showing([]));
    const { outcome } = await rig.carryOut(() => rig.putStep('capture', noted(set)));
    expect(outcome).toEqual({ kind: 'again' });
    expect(left(rig)).toEqual(['vol-0', 'vol-1']);
  });
});
