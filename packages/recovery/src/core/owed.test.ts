import type { HistoryRecord, PlannedAddress } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { historyRecord, intentRecord } from '@understudy/shared/testing';
import { owedItemsOf, owedText, recoveryBehind, withOwed } from './owed.ts';

const { plan } = intentRecord('prod/db1', 'i-1');
const address = (id: string, over: Partial<PlannedAddress> = {}): PlannedAddress => ({
  allocationId: id,
  publicIp: '203.0.113.1',
  associationId: 'assoc-1',
  ...over,
});
const obstacle = { code: 'ReplacementFailed', text: 'it died', sinceWallMs: 1 };
const before = (over: Partial<HistoryRecord> = {}) =>
  historyRecord('prod/db1', 'i-1', { newInstanceId: 'i-2', ...over });

describe('what a recovery owes', () => {
  test('addresses not seen on its replacement, with every instance that may still hold one', () => {
    const addresses = [address('a'), address('b', { owedFrom: ['i-0'] }), address('c')];
    const owed = owedItemsOf({ plan: { ...plan, addresses }, oldInstanceId: 'i-1' }, new Set(['address-c']));
    expect(owed.owedAddresses).toMatchObject([
      { allocationId: 'a', associationId: null, owedFrom: ['i-1'] },
      { allocationId: 'b', associationId: null, owedFrom: ['i-1', 'i-0'] },
    ]);
  });

  test('the row of instances is bounded', () => {
    const owedFrom = Array.from({ length: 20 }, (_, index) => `i-${index}`);
    const addresses = [address('a', { owedFrom })];
    expect(
      owedItemsOf({ plan: { ...plan, addresses }, oldInstanceId: 'i-x' }, new Set()).owedAddresses?.[0]?.owedFrom,
    ).toHaveLength(8);
  });

  test('the next plan has them, and one it has already only learns where else it may be', () => {
    const owedAddresses = [
      address('a', { owedFrom: ['i-1'] }),
      address('b', { owedFrom: ['i-1'], associationId: null }),
    ];
    const next = withOwed({ ...plan, addresses: [address('a')] }, before({ owedAddresses }));
    expect(next.addresses).toEqual([
      address('a', { owedFrom: ['i-1'] }),
      address('b', { owedFrom: ['i-1'], associationId: null }),
    ]);
  });

  test('what is assigned to interfaces, and interfaces themselves', () => {
    const oldHolder = { instanceId: 'i-1', networkInterfaceId: 'eni-1' };
    const assigned = ['10.0.0.5', '10.0.0.6'].map((ip) => ({
      ...{ kind: 'secondary-ip' as const, address: ip, subnetId: 'subnet-1', holders: [oldHolder] },
    }));
    const interfaces = ['eni-a', 'eni-b'].map((networkInterfaceId) => ({
      ...{ networkInterfaceId, az: 'us-east-1a', deviceIndex: 1, networkCardIndex: 0, deleteOnTermination: true },
      attachmentId: 'eni-attach-1',
    }));
    const done = new Set(['secondary-10.0.0.6', 'interface-eni-b']);
    const owes = owedItemsOf({ plan: { ...plan, assigned, interfaces }, oldInstanceId: 'i-1' }, done);
    expect(owes).toEqual({
      owedAddresses: [],
      owedAssigned: [assigned[0]],
      owedInterfaces: [{ ...interfaces[0], attachmentId: null, owedFrom: ['i-1'] }],
    });
    expect(owedText(owes)).toEqual(['address 10.0.0.5', 'interface eni-a']);
    const next = withOwed({ ...plan, primaryInterfaceId: 'eni-2' }, before(owes));
    // The failed replacement may have got it after the last look: it may be taken from there, too.
    expect(next.assigned?.[0]?.holders).toEqual([oldHolder, { instanceId: 'i-2', networkInterfaceId: 'eni-2' }]);
    expect(next.interfaces?.[0]?.owedFrom).toEqual(['i-1']);
  });

  test('protections and tags of volumes that never came to be on the replacement', () => {
    const owed: HistoryRecord['owed'] = [
      { obstacle, chore: { kind: 'protect', instanceId: 'i-2', stop: false, termination: true } },
      {
        obstacle,
        chore: { kind: 'volume-tags', instanceId: 'i-2', deviceName: '/dev/xvda', tags: { team: 'a', tier: 'b' } },
      },
      { obstacle, chore: { kind: 'volume-tags', instanceId: 'i-9', deviceName: '/dev/xvda', tags: { other: 'c' } } },
    ];
    const tagged = { ...plan, volumes: plan.volumes.map((one) => ({ ...one, tags: { team: 'now' } })) };
    const next = withOwed(tagged, before({ owed }));
    expect(next.protection).toEqual({ stop: false, termination: true });
    expect(next.volumes[0]?.tags).toEqual({ team: 'now', tier: 'b' });
  });

  test('nothing owed, nothing added; what the plan has, stays', () => {
    const own = { ...plan, addresses: [address('a')], protection: { stop: true, termination: false } };
    expect(withOwed(own, before())).toEqual(own);
    expect(withOwed(own, before({ owedAddresses: [address('b', { owedFrom: ['i-1'] })] })).addresses).toEqual([
      address('a'),
      address('b', { owedFrom: ['i-1'] }),
    ]);
  });

  test('nothing before it, nothing owed', () => {
    expect(withOwed(plan, null)).toBe(plan);
    expect(recoveryBehind([before({ outcome: 'abandoned' }), before()], 'i-2')?.outcome).toBe('replaced');
    expect(recoveryBehind([before()], 'i-3')).toBeNull();
  });
});
