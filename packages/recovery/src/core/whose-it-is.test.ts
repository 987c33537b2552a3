import { TAG } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { isOnFenced } from './elastic-ip-move.ts';
import { findLooseVolumes, findOrphans, findStrays, type Found, type KnownRecoveries } from './collect.ts';

const OP = 'op-1';
const known = (part: object = {}): KnownRecoveries =>
  ({
    finished: new Map([[OP, { opId: OP, newInstanceId: 'i-new', leftovers: [{ kind: 'image', id: 'ami-1' }] }]]),
    open: new Set(['op-open']),
    activations: new Map([['db/one', { instanceId: 'i-active' }]]),
    ...{ gone: new Set(), named: new Set() },
    ...part,
  }) as never;
const NONE: Found = { snapshots: [], images: [], networkInterfaces: [], instances: [], volumes: [], reservations: [] };
const found = (part: object): Found => ({ ...NONE, ...part });
const op = (opId: string) => ({ [TAG.op]: opId });

describe('an address is on the fenced instance', () => {
  const fenced = { oldInstanceId: 'i-old', owedFrom: [], oldInterfaceId: 'eni-old', plannedAssociationId: 'assoc-1' };
  const seen = (part: object) =>
    ({ instanceId: null, networkInterfaceId: 'eni-old', associationId: 'assoc-1', ...part }) as never;

  it.each([
    ['by its id', seen({ instanceId: 'i-old', networkInterfaceId: 'x', associationId: 'y' }), true],
    ['not when another one is named, whatever the rest says', seen({ instanceId: 'i-x' }), false],
    ['by the very association of the plan on its interface', seen({}), true],
    ['not on another interface', seen({ networkInterfaceId: 'eni-x' }), false],
    ['not by a later association', seen({ associationId: 'assoc-2' }), false],
  ])('%s', (_what, address, expected) => {
    expect(isOnFenced(address, fenced)).toBe(expected);
  });

  it('not where the plan knew neither interface nor association', () => {
    const nothing = seen({ networkInterfaceId: null, associationId: null });
    expect(isOnFenced(nothing, { ...fenced, oldInterfaceId: null, plannedAssociationId: null })).toBe(false);
    expect(isOnFenced(seen({ networkInterfaceId: null }), { ...fenced, oldInterfaceId: null })).toBe(false);
    expect(isOnFenced(seen({ associationId: null }), { ...fenced, plannedAssociationId: null })).toBe(false);
  });
});

describe('an orphan', () => {
  const eni = (part: object) => ({
    networkInterfaceId: 'eni-1',
    attachedInstanceId: null,
    state: 'available',
    tags: op(OP),
    ...part,
  });
  const kinds = (part: object) => findOrphans(found(part), known()).map((one) => `${one.kind} ${one.id}`);

  it('is what a finished recovery made and no record accounts for, of every kind', () => {
    expect(kinds({ networkInterfaces: [eni({})] })).toEqual(['network-interface eni-1']);
    expect(kinds({ images: [{ imageId: 'ami-2', tags: op(OP) }] })).toEqual(['image ami-2']);
    expect(kinds({ snapshots: [{ snapshotId: 'snap-1', tags: op(OP) }] })).toEqual(['snapshot snap-1']);
  });

  it('is nothing in use, nothing on the books, nothing of an open or unknown recovery', () => {
    expect(kinds({ networkInterfaces: [eni({ attachedInstanceId: 'i-1' }), eni({ state: 'in-use' })] })).toEqual([]);
    expect(kinds({ images: [{ imageId: 'ami-1', tags: op(OP) }] })).toEqual([]);
    // The same id on the books as another kind accounts for nothing.
    expect(kinds({ snapshots: [{ snapshotId: 'ami-1', tags: op(OP) }] })).toEqual(['snapshot ami-1']);
    expect(kinds({ snapshots: ['op-open', 'op-9'].map((id) => ({ snapshotId: id, tags: op(id) })) })).toEqual([]);
    expect(kinds({ snapshots: [{ snapshotId: 's', tags: {} }] })).toEqual([]);
  });
});

it('a loose volume is attached to nothing and of a finished recovery', () => {
  const volume = (volumeId: string, tags: object, attachments: object[] = []) => ({ volumeId, tags, attachments });
  const volumes = [volume('a', op(OP)), volume('b', op(OP), [{}]), volume('c', op('op-open')), volume('d', {})];
  expect(findLooseVolumes(found({ volumes }), known())).toEqual(['a']);
});

it('a stray was launched by a recovery and is named by nothing: neither activation, history, mark, nor an open recovery', () => {
  const one = (instanceId: string, tags: object, state = 'running') => ({ instanceId, tags, state });
  const instances = [
    one('i-stray', op(OP)),
    one('i-unknown', op('op-9')),
    one('i-new', op(OP)),
    one('i-active', op('op-9')),
    one('i-open', op('op-open')),
    one('i-foreign', {}),
    one('i-retired', { ...op(OP), [TAG.retiredBy]: 'op-2' }),
    one('i-ended', op(OP), 'terminated'),
  ];
  expect(findStrays(found({ instances }), known())).toEqual(['i-stray', 'i-unknown']);
});
