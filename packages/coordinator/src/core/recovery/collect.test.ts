import { type ActivationRecord, type CloudInstance, type HistoryRecord, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import {
  dueLeftovers,
  findOrphans,
  findStrays,
  type Found,
  judgeRetired,
  type KnownRecoveries,
  trimmable,
} from './collect.ts';

const OP = 'op-1';
const history = (part: Partial<HistoryRecord> = {}): HistoryRecord =>
  ({ opId: OP, member: 'db/one', newInstanceId: 'i-new', endedAtWallMs: 0, leftovers: [], ...part }) as HistoryRecord;
const activation = (instanceId: string) => ({ member: 'db/one', instanceId }) as unknown as ActivationRecord;
const old = (state: string, tags: Record<string, string> = { [TAG.retiredBy]: OP }) =>
  ({ instanceId: 'i-old', state, tags }) as unknown as CloudInstance;

describe('judgeRetired', () => {
  const judge = (instance: CloudInstance | null, part: Partial<Parameters<typeof judgeRetired>[0]> = {}) =>
    judgeRetired({ instance, opId: OP, due: true, activation: activation('i-new'), wasSeenDown: true, ...part }).kind;

  test.each<[string, string, string]>([
    ['stopped, tagged, due, and another one is active', judge(old('stopped')), 'terminate'],
    ['before its time', judge(old('stopped'), { due: false }), 'keep'],
    ['untagged', judge(old('stopped', {})), 'tag'],
    ['retired by another recovery', judge(old('stopped', { [TAG.retiredBy]: 'op-2' })), 'keep'],
    ['running again', judge(old('running')), 'keep'],
    ['named by the activation', judge(old('stopped'), { activation: activation('i-old') }), 'keep'],
    ['no activation at all', judge(old('stopped'), { activation: null }), 'keep'],
    ['terminated', judge(old('terminated')), 'gone'],
    ['not shown any more', judge(null), 'gone'],
    ['not shown, and nobody ever saw it stop', judge(null, { wasSeenDown: false }), 'keep'],
  ])('%s', (_name, got, want) => expect(got).toBe(want));
});

test('images go before the snapshots they stand on, and nothing before its time', () => {
  const leftovers = [
    { kind: 'snapshot', id: 's', afterWallMs: 5 },
    { kind: 'image', id: 'm', afterWallMs: 5 },
    { kind: 'instance', id: 'i', afterWallMs: 6 },
  ] as const;
  expect(dueLeftovers(history({ leftovers: [...leftovers] }), 5).map((one) => one.id)).toEqual(['m', 's']);
});

describe('what carries our tag', () => {
  const tags = { [TAG.op]: OP };
  const found = (part: Partial<Record<keyof Found, readonly object[]>>): Found =>
    ({ snapshots: [], images: [], networkInterfaces: [], instances: [], volumes: [], ...part }) as Found;
  const known = (part: Partial<KnownRecoveries> = {}): KnownRecoveries => ({
    finished: new Map([[OP, history({ leftovers: [{ kind: 'snapshot', id: 'snap-1', afterWallMs: 0 }] })]]),
    open: new Set(),
    activations: new Map(),
    ...part,
  });
  const snapshots = [
    { snapshotId: 'snap-1', tags },
    { snapshotId: 'snap-2', tags },
  ];

  test('a snapshot in no record is an orphan, one in the record is not', () =>
    expect(findOrphans(found({ snapshots }), known()).map((one) => one.id)).toEqual(['snap-2']));
  test('of an open recovery: untouched', () =>
    expect(findOrphans(found({ snapshots }), known({ open: new Set([OP]) }))).toEqual([]));
  test('of a recovery nobody knows (an etcd from a backup): untouched', () =>
    expect(findOrphans(found({ snapshots }), known({ finished: new Map() }))).toEqual([]));
  test('an interface in use is never an orphan', () => {
    const eni = { networkInterfaceId: 'eni-1', state: 'in-use', attachedInstanceId: 'i-new', tags };
    expect(findOrphans(found({ networkInterfaces: [eni] }), known())).toEqual([]);
    const loose = { ...eni, state: 'available', attachedInstanceId: null };
    expect(findOrphans(found({ networkInterfaces: [loose] }), known())).toHaveLength(1);
  });

  test.each<[string, object, readonly string[]]>([
    ['the replacement on record', { instanceId: 'i-new', state: 'running', tags }, []],
    ['another one', { instanceId: 'i-x', state: 'running', tags }, ['i-x']],
    ['another one that is gone', { instanceId: 'i-x', state: 'terminated', tags }, []],
    [
      'one that was replaced since',
      { instanceId: 'i-x', state: 'stopped', tags: { ...tags, [TAG.retiredBy]: 'op-2' } },
      [],
    ],
  ])('stray instances: %s', (_name, instance, want) =>
    expect(findStrays(found({ instances: [instance] }), known())).toEqual(want),
  );
});

test('history is trimmed to the newest of each member, never with leftovers', () => {
  const entry = (key: string, member: string, endedAtWallMs: number, open = false) => ({
    key,
    record: history({
      member: member as HistoryRecord['member'],
      endedAtWallMs,
      leftovers: open ? [{ kind: 'image', id: 'm', afterWallMs: 9 }] : [],
    }),
  });
  const entries = [entry('a1', 'a/x', 1), entry('a2', 'a/x', 2, true), entry('a3', 'a/x', 3), entry('b1', 'b/x', 1)];
  expect(trimmable(entries, () => 1)).toEqual(['a1']);
  expect(trimmable(entries, (member) => (member === 'a/x' ? 2 : 0))).toEqual(['a1', 'b1']);
});
