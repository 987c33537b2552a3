import type { CloudAddress } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { addressMove } from './elastic-ip-move.ts';

const WANT = {
  ...{ networkInterfaceId: 'eni-new', oldInstanceId: 'i-old', recordedAssociationId: 'assoc-1' },
  ...{ oldInterfaceId: 'eni-old', plannedAssociationId: 'assoc-1' },
};
const at = (part: Partial<CloudAddress>): CloudAddress => ({
  allocationId: 'eipalloc-1',
  publicIp: '203.0.113.1',
  associationId: null,
  networkInterfaceId: null,
  instanceId: null,
  privateIp: null,
  tags: {},
  ...part,
});
const onOld = { associationId: 'assoc-1', networkInterfaceId: 'eni-old', instanceId: 'i-old' };

describe('addressMove', () => {
  test.each<[string, CloudAddress | null, object]>([
    ['not shown', null, { kind: 'unseen' }],
    ['free: associate', at({}), { kind: 'associate' }],
    ['on the fenced one, as recorded: disassociate', at(onOld), { kind: 'disassociate', associationId: 'assoc-1' }],
    [
      'on the fenced one, by a later association: record that first',
      at({ ...onOld, associationId: 'assoc-2' }),
      { kind: 'record', associationId: 'assoc-2' },
    ],
    [
      'on the interface of the fenced one, by the association of the plan, no instance named: disassociate',
      at({ ...onOld, instanceId: null }),
      { kind: 'disassociate', associationId: 'assoc-1' },
    ],
    [
      'on the replacement',
      at({ associationId: 'assoc-9', networkInterfaceId: 'eni-new', instanceId: 'i-new' }),
      { kind: 'done', associationId: 'assoc-9' },
    ],
  ])('%s', (_name, seen, want) => expect(addressMove(seen, WANT)).toEqual(want));

  test('on an instance an earlier recovery retired without moving it: taken from there, once exactly that is on record', () => {
    const want = { ...WANT, owedFrom: ['i-older'] };
    const seen = at({ associationId: 'assoc-0', networkInterfaceId: 'eni-0', instanceId: 'i-older' });
    expect(addressMove(seen, want)).toEqual({ kind: 'record', associationId: 'assoc-0' });
    const recorded = { ...want, recordedAssociationId: 'assoc-0' };
    expect(addressMove(seen, recorded)).toEqual({ kind: 'disassociate', associationId: 'assoc-0' });
    expect(addressMove({ ...seen, instanceId: 'i-other' }, recorded).kind).toBe('held');
  });

  test.each<[string, CloudAddress]>([
    ['an instance', at({ associationId: 'assoc-7', networkInterfaceId: 'eni-7', instanceId: 'i-other' })],
    ['an interface without an instance', at({ associationId: 'assoc-7', networkInterfaceId: 'eni-7' })],
    [
      'the interface of the fenced one, by a later association, no instance named',
      at({ ...onOld, instanceId: null, associationId: 'assoc-2' }),
    ],
    ['somebody, on the interface of the fenced one', at({ ...onOld, instanceId: 'i-other' })],
    ['another, under the very id we recorded', at({ ...onOld, instanceId: 'i-other' })],
  ])('with %s: never taken', (_name, seen) => expect(addressMove(seen, WANT).kind).toBe('held'));

  test('a plan without interface or association knows the fenced one by its id alone', () => {
    const seen = at({ ...onOld, instanceId: null });
    expect(addressMove(seen, { ...WANT, oldInterfaceId: null }).kind).toBe('held');
    expect(addressMove(seen, { ...WANT, plannedAssociationId: null }).kind).toBe('held');
  });
});
