import { REGISTERED } from '../registered.ts';
import {
  type ActivationRecord,
  type CloudInstance,
  type CloudVolume,
  type HistoryRecord,
  type Leftover,
  TAG,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import {
  dueLeftovers,
  findReturned,
  findOrphans,
  findStrays,
  type Found,
  GONE_AFTER_MS,
  judgeKeptVolume,
  judgeRetired,
  type KnownRecoveries,
  trimmable,
} from './collect.ts';

const OP = 'op-1';
const NOTHING_KNOWN: KnownRecoveries = {
  finished: new Map(),
  open: new Set(),
  activations: new Map(),
  gone: new Set(),
  named: new Set(),
};
const left = (kind: Leftover['kind'], id: string, afterWallMs: number | null): Leftover => ({
  kind,
  id,
  afterWallMs,
  obstacle: null,
});
const history = (part: Partial<HistoryRecord> = {}): HistoryRecord =>
  ({
    ...{ opId: OP, member: 'db/one', oldInstanceId: 'i-old', newInstanceId: 'i-new', endedAtWallMs: 0 },
    ...{ leftovers: [], owed: [], ...part },
  }) as unknown as HistoryRecord;
const activation = (instanceId: string) => ({ member: 'db/one', instanceId }) as unknown as ActivationRecord;
const old = (state: string, tags: Record<string, string> = { [TAG.retiredBy]: OP }) =>
  ({ instanceId: 'i-old', state, tags }) as unknown as CloudInstance;

describe('judgeRetired', () => {
  const judge = (instance: CloudInstance | null, part: Partial<Parameters<typeof judgeRetired>[0]> = {}) =>
    judgeRetired({
      instance,
      unseenForMs: 0,
      opId: OP,
      due: true,
      activation: activation('i-new'),
      wasSeenDown: true,
      ...part,
    }).kind;

  test.each<[string, string, string]>([
    ['stopped, tagged, due, and another one is active', judge(old('stopped')), 'terminate'],
    ['before its time', judge(old('stopped'), { due: false }), 'keep'],
    ['untagged', judge(old('stopped', {})), 'tag'],
    ['retired by another recovery', judge(old('stopped', { [TAG.retiredBy]: 'op-2' })), 'keep'],
    ['running again', judge(old('running')), 'keep'],
    ['named by the activation', judge(old('stopped'), { activation: activation('i-old') }), 'keep'],
    ['no activation at all', judge(old('stopped'), { activation: null }), 'keep'],
    ['terminated', judge(old('terminated')), 'gone'],
    ['shutting down: not yet', judge(old('shutting-down')), 'keep'],
    ['not shown by one look', judge(null), 'keep'],
    ['not shown by any look for longer than describes lag', judge(null, { unseenForMs: GONE_AFTER_MS }), 'gone'],
    ['not shown for almost as long', judge(null, { unseenForMs: GONE_AFTER_MS - 1 }), 'keep'],
    ['not shown, and nobody ever saw it stop', judge(null, { wasSeenDown: false, unseenForMs: 1e9 }), 'keep'],
  ])('%s', (_name, got, want) => expect(got).toBe(want));
});

describe('judgeKeptVolume', () => {
  const disk = (part: object = {}) =>
    ({
      ...{ volumeId: 'vol-1', state: 'available', attachments: [], tags: { [TAG.retiredBy]: OP }, ...part },
    }) as unknown as CloudVolume;
  const on = (instanceId: string) => ({ state: 'in-use', attachments: [{ instanceId }] });
  const judge = (volume: CloudVolume | null, part: { due?: boolean; unseenForMs?: number } = {}) =>
    judgeKeptVolume({ volume, unseenForMs: 0, opId: OP, oldInstanceId: 'i-old', due: true, ...part }).kind;

  test.each<[string, string, string]>([
    ['on nothing, marked, its time has come', judge(disk()), 'delete'],
    ['before its time', judge(disk(), { due: false }), 'keep'],
    ['still on the retired instance', judge(disk(on('i-old'))), 'keep'],
    ['somebody attached it elsewhere', judge(disk(on('i-x'))), 'taken'],
    ['the same before its time', judge(disk(on('i-x')), { due: false }), 'taken'],
    ['without the mark of its recovery', judge(disk({ tags: {} })), 'keep'],
    ['with the mark of another one', judge(disk({ tags: { [TAG.retiredBy]: 'op-2' } })), 'keep'],
    ['in error', judge(disk({ state: 'error' })), 'keep'],
    ['not shown by one look', judge(null), 'keep'],
    ['not shown by any look', judge(null, { unseenForMs: GONE_AFTER_MS }), 'gone'],
    ['deleted', judge(disk({ state: 'deleted' })), 'gone'],
  ])('%s', (_name, got, want) => expect(got).toBe(want));
});

test('a retired instance that was believed gone is found again', () => {
  const finished = new Map([[OP, history()]]);
  const known: KnownRecoveries = { ...NOTHING_KNOWN, finished };
  expect(findReturned([old('stopped')], known)).toMatchObject([{ opId: OP, instanceId: 'i-old' }]);
  const marked = { [TAG.retiredBy]: OP, [TAG.retainUntil]: '2026-01-01T00:00:00.000Z' };
  expect(findReturned([old('stopped', marked)], known)[0]?.afterWallMs).toBe(Date.UTC(2026, 0, 1));
  expect(findReturned([old('terminated'), old('shutting-down')], known)).toEqual([]);
  expect(findReturned([old('stopped')], { ...known, open: new Set([OP]) })).toEqual([]);
  expect(findReturned([old('stopped')], { ...known, finished: new Map() })).toEqual([]);
  const onTheBooks = new Map([[OP, history({ leftovers: [left('instance', 'i-old', 5)] })]]);
  expect(findReturned([old('stopped')], { ...known, finished: onTheBooks })).toEqual([]);
  const ofAnother = new Map([[OP, history({ oldInstanceId: 'i-other' })]]);
  expect(findReturned([old('stopped')], { ...known, finished: ofAnother })).toEqual([]);
});

test('images go before the snapshots they stand on, and nothing before its time', () => {
  const leftovers = [
    left('snapshot', 's', 5),
    left('image', 'm', 5),
    left('instance', 'i', 6),
    left('volume', 'v', null),
  ];
  expect(dueLeftovers(history({ leftovers }), 5, REGISTERED.leftovers).map((one) => one.id)).toEqual(['m', 's']);
  const unknown = [left('balloon', 'b', 5), ...leftovers];
  const due = dueLeftovers(history({ leftovers: unknown }), 5, REGISTERED.leftovers);
  expect(due.map((one) => one.id)).toEqual(['m', 's', 'b']);
});

describe('what carries our tag', () => {
  const tags = { [TAG.op]: OP };
  const found = (part: Partial<Record<keyof Found, readonly object[]>>): Found =>
    ({
      snapshots: [],
      images: [],
      networkInterfaces: [],
      instances: [],
      volumes: [],
      reservations: [],
      ...part,
    }) as Found;
  const known = (part: Partial<KnownRecoveries> = {}): KnownRecoveries => ({
    ...NOTHING_KNOWN,
    finished: new Map([[OP, history({ leftovers: [left('snapshot', 'snap-1', 0)] })]]),
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
  test('of what is planned with by an open recovery: untouched, whosesoever it is', () =>
    expect(findOrphans(found({ snapshots }), known({ named: new Set(['snap-2']) }))).toEqual([]));
  test('of a preparation that has gone: an orphan; an image is none, as it makes none', () => {
    const networkInterfaces = [
      { networkInterfaceId: 'eni-1', state: 'available', attachedInstanceId: null, tags },
      { networkInterfaceId: 'eni-2', state: 'in-use', attachedInstanceId: 'i-new', tags },
    ];
    const reservations = [{ reservationId: 'cr-1', tags }];
    const all = found({ snapshots, networkInterfaces, reservations, images: [{ imageId: 'ami-1', tags }] });
    const gone = { finished: new Map(), gone: new Set([OP]) };
    expect(findOrphans(all, known(gone)).map(({ id }) => id)).toEqual(['eni-1', 'snap-1', 'snap-2', 'cr-1']);
    expect(findOrphans(all, known({ ...gone, gone: new Set(['op-2']) }))).toEqual([]);
    expect(findOrphans(all, known({ ...gone, open: new Set([OP]) }))).toEqual([]);
  });
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
      leftovers: open ? [left('image', 'm', 9)] : [],
    }),
  });
  const entries = [entry('a1', 'a/x', 1), entry('a2', 'a/x', 2, true), entry('a3', 'a/x', 3), entry('b1', 'b/x', 1)];
  expect(trimmable(entries, () => 1)).toEqual(['a1']);
  expect(trimmable(entries, (member) => (member === 'a/x' ? 2 : 0))).toEqual(['a1', 'b1']);
});

test('what is kept for ever does not keep its history; what is owed does', () => {
  const record = (part: Partial<HistoryRecord>) => [{ key: 'k', record: history(part) }];
  expect(trimmable(record({ leftovers: [left('volume', 'v', null)] }), () => 0)).toEqual(['k']);
  expect(trimmable(record({ leftovers: [left('volume', 'v', 9)] }), () => 0)).toEqual([]);
  const owed = [{ chore: { kind: 'protect' } }] as unknown as HistoryRecord['owed'];
  expect(trimmable(record({ owed }), () => 0)).toEqual([]);
});
