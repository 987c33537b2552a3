import {
  type ActivationRecord,
  type CloudAddress,
  type CloudInstance,
  type CloudSnapshot,
  type CloudVolume,
  type HistoryRecord,
  type Leftover,
  type PlannedVolume,
  TAG,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { isOnFenced } from './elastic-ip-move.ts';
import { volumesBeside } from './capture-decision.ts';
import {
  findLooseVolumes,
  findOrphans,
  findReturned,
  findStrays,
  type Found,
  GONE_AFTER_MS,
  judgeKeptVolume,
  judgeRetired,
  type KnownRecoveries,
} from './collect.ts';
import { capacityPauseMs } from './pacing.ts';
import { plannedVolumes } from './planned-volumes.ts';

/**
 * What the collector and the capture conclude, at the edges where one word decides whether
 * something is removed, kept or carried.
 */

const OP = 'op-1';
const mark = { [TAG.retiredBy]: OP };
const left = (kind: Leftover['kind'], id: string): Leftover => ({ kind, id, afterWallMs: 0, obstacle: null });
const history = (part: object = {}): HistoryRecord =>
  ({
    opId: OP,
    member: 'db/one',
    oldInstanceId: 'i-old',
    newInstanceId: 'i-new',
    endedAtWallMs: 1_000,
    leftovers: [],
    owed: [],
    ...part,
  }) as unknown as HistoryRecord;
const known = (part: object = {}, rest: Partial<KnownRecoveries> = {}): KnownRecoveries => ({
  ...{ finished: new Map([[OP, history(part)]]), open: new Set<string>(), activations: new Map() },
  ...{ gone: new Set<string>(), named: new Set<string>() },
  ...rest,
});
const found = (part: object): Found => ({
  ...{ snapshots: [], images: [], networkInterfaces: [], instances: [], volumes: [], reservations: [] },
  ...part,
});
const tags = { [TAG.op]: OP };

describe('a retired instance', () => {
  const retired = (state: string) => ({ instanceId: 'i-old', state, tags: mark }) as unknown as CloudInstance;
  const activation = { instanceId: 'i-new' } as ActivationRecord;
  const judge = (instance: CloudInstance | null, part: object = {}) =>
    judgeRetired({ instance, unseenForMs: 0, opId: OP, due: true, activation, wasSeenDown: true, ...part });

  test('what passes by itself and what somebody should know', () => {
    const kept = (verdict: ReturnType<typeof judge>) => verdict.kind === 'keep' && [verdict.code, verdict.passing];
    expect(kept(judge(null))).toEqual(['NotShown', true]);
    expect(kept(judge(null, { wasSeenDown: false }))).toEqual(['NotShown', false]);
    expect(kept(judge(retired('shutting-down')))).toEqual(['ShuttingDown', true]);
    expect(kept(judge(retired('stopped'), { due: false }))).toEqual(['NotDue', true]);
    expect(kept(judge(retired('running')))).toEqual(['NotStopped', false]);
    expect(kept(judge(retired('stopped'), { activation: { instanceId: 'i-old' } }))).toEqual(['Activated', false]);
    expect(kept(judge(retired('stopped'), { activation: null }))).toEqual(['NoSuccessor', false]);
    expect(kept(judge(retired('stopped'), { opId: 'op-2' }))).toEqual(['RetiredByAnother', false]);
  });

  test('that was never seen down is judged like any other once EC2 shows it', () => {
    expect(judge(retired('stopped'), { wasSeenDown: false }).kind).toBe('terminate');
    expect(judge(retired('terminated'), { wasSeenDown: false }).kind).toBe('gone');
  });

  test('is found again under the books of its own recovery only, with the longest retention where its mark names none', () => {
    const [again] = findReturned([retired('stopped')], known());
    expect(again).toEqual({ opId: OP, instanceId: 'i-old', afterWallMs: 1_000 + 2_592_000_000 });
    // Something else of that recovery is on the books: it is still not.
    expect(findReturned([retired('stopped')], known({ leftovers: [left('image', 'ami-1')] }))).toHaveLength(1);
    expect(
      findReturned([retired('stopped')], known({ leftovers: [left('image', 'ami-1'), left('instance', 'i-old')] })),
    ).toEqual([]);
  });
});

describe('a data volume it leaves', () => {
  const disk = (part: object = {}) =>
    ({ volumeId: 'vol-1', state: 'available', attachments: [], tags: mark, ...part }) as unknown as CloudVolume;
  const judge = (volume: CloudVolume | null, part: object = {}) =>
    judgeKeptVolume({ volume, unseenForMs: 0, opId: OP, oldInstanceId: 'i-old', due: true, ...part });

  test('says why it stays', () => {
    expect(judge(disk({ state: 'in-use', attachments: [{ instanceId: 'i-old' }] }))).toMatchObject({
      code: 'Attached',
      passing: true,
    });
    expect(judge(disk({ attachments: [{ instanceId: 'i-old' }] }))).toMatchObject({ code: 'Attached' });
    expect(judge(disk({ state: 'creating' }))).toMatchObject({ code: 'NotAvailable', passing: true });
    expect(judge(disk({ tags: {} }))).toMatchObject({
      ...{ code: 'NotMarked', passing: false, why: 'it does not carry the mark of its recovery' },
    });
    expect(judge(disk({ tags: { [TAG.retiredBy]: 'op-2' } }))).toMatchObject({
      why: 'it carries the mark of op-2 instead of the mark of its recovery',
    });
    expect(judge(disk({ attachments: [{ instanceId: 'i-old' }, { instanceId: 'i-x' }] }))).toEqual({
      kind: 'taken',
      by: 'i-x',
    });
    expect(judge(null, { unseenForMs: GONE_AFTER_MS - 1 })).toMatchObject({ code: 'NotShown', passing: true });
  });
});

describe('what carries the tag of a finished recovery', () => {
  const eni = (part: object = {}) => ({
    networkInterfaceId: 'eni-1',
    state: 'available',
    attachedInstanceId: null,
    tags,
    ...part,
  });
  const orphans = (part: object, recoveries = known()) =>
    findOrphans(found(part), recoveries).map(({ kind, id, opId }) => `${kind} ${id} ${opId}`);

  test('interfaces, images and snapshots that no record names are orphans', () => {
    expect(
      orphans({
        networkInterfaces: [eni()],
        images: [{ imageId: 'ami-1', tags }],
        snapshots: [{ snapshotId: 'snap-1', tags }],
      }),
    ).toEqual([`network-interface eni-1 ${OP}`, `image ami-1 ${OP}`, `snapshot snap-1 ${OP}`]);
  });
  test('an interface that is attached, or about to be, is none', () => {
    expect(orphans({ networkInterfaces: [eni({ attachedInstanceId: 'i-new' })] })).toEqual([]);
    expect(orphans({ networkInterfaces: [eni({ state: 'attaching' })] })).toEqual([]);
  });
  test('a record names it by kind and id, and others beside it do not count', () => {
    const images = [{ imageId: 'ami-1', tags }];
    expect(orphans({ images }, known({ leftovers: [left('snapshot', 'snap-9'), left('image', 'ami-1')] }))).toEqual([]);
    expect(orphans({ images }, known({ leftovers: [left('snapshot', 'ami-1')] }))).toHaveLength(1);
    expect(orphans({ images }, known({ leftovers: [left('image', 'ami-2')] }))).toHaveLength(1);
  });
  test('untagged, of an open or of an unknown recovery: nobody’s business', () => {
    expect(orphans({ images: [{ imageId: 'ami-1', tags: {} }] }, known({}, { open: new Set(['undefined']) }))).toEqual(
      [],
    );
    expect(orphans({ images: [{ imageId: 'ami-1', tags }] }, known({}, { open: new Set([OP]) }))).toEqual([]);
    expect(orphans({ images: [{ imageId: 'ami-1', tags: { [TAG.op]: 'op-2' } }] })).toEqual([]);
  });

  test('loose disks: attached to nothing, and of a finished recovery', () => {
    const disk = (volumeId: string, part: object) => ({ volumeId, attachments: [], tags, ...part });
    const volumes = [
      disk('vol-1', {}),
      disk('vol-2', { attachments: [{ instanceId: 'i-x' }] }),
      disk('vol-3', { tags: {} }),
      disk('vol-4', { tags: { [TAG.op]: 'op-2' } }),
    ];
    expect(findLooseVolumes(found({ volumes }), known())).toEqual(['vol-1']);
  });

  test('strays: neither activated, nor on record, nor retired, nor of an open recovery', () => {
    const one = (part: object) => ({ instanceId: 'i-x', state: 'running', tags, ...part });
    const strays = (part: object, recoveries = known()) => findStrays(found({ instances: [one(part)] }), recoveries);
    expect(strays({})).toEqual(['i-x']);
    expect(strays({ tags: {} })).toEqual([]);
    expect(strays({}, known({}, { open: new Set([OP]) }))).toEqual([]);
    const activations = new Map([['db/one', { instanceId: 'i-x' }]]) as unknown as KnownRecoveries['activations'];
    expect(strays({}, known({}, { activations }))).toEqual([]);
    expect(strays({ tags: { [TAG.op]: 'op-2' } })).toEqual(['i-x']);
    expect(strays({ tags: { ...tags, ...mark } })).toEqual([]);
    expect(strays({}, known({ newInstanceId: 'i-x' }))).toEqual([]);
  });
});

test('what a set captured beside the plan: usable snapshots of volumes the plan does not name', () => {
  const planned = [{ volumeId: 'vol-a' }, { volumeId: 'vol-b' }] as unknown as PlannedVolume[];
  const snapshot = (volumeId: string, state = 'completed') => ({ volumeId, state }) as CloudSnapshot;
  const set = {
    number: 1,
    snapshots: [snapshot('vol-a'), snapshot('vol-b'), snapshot('vol-c'), snapshot('vol-d', 'error')],
  };
  expect(volumesBeside(planned, set)).toEqual(['vol-c']);
  expect(volumesBeside([], { number: 1, snapshots: [snapshot('vol-c', 'pending')] })).toEqual(['vol-c']);
});

test('disks in the order of a launch: root first, then by device; what EC2 does not describe is left out', () => {
  const at = (deviceName: string, volumeId: string, deleteOnTermination = false) => ({
    deviceName,
    volumeId,
    deleteOnTermination,
  });
  const instance = {
    rootDeviceName: '/dev/xvda',
    volumes: [
      at('/dev/sdg', 'vol-g'),
      at('/dev/xvda', 'vol-r', true),
      at('/dev/sdf', 'vol-f'),
      at('/dev/sdh', 'vol-h'),
    ],
  } as unknown as CloudInstance;
  const volumes = ['vol-f', 'vol-g', 'vol-r'].map(
    (volumeId) => ({ volumeId, tags: { 'aws:x': '1', own: volumeId } }) as unknown as CloudVolume,
  );
  const planned = plannedVolumes(instance, volumes);
  expect(planned.map((one) => [one.volumeId, one.isRoot, one.deleteOnTermination])).toEqual([
    ['vol-r', true, true],
    ['vol-f', false, false],
    ['vol-g', false, false],
  ]);
  expect(planned[1]?.tags).toEqual({ own: 'vol-f' });
});

test('the pause before a placement without room is asked again doubles with each refusal, up to the longest', () => {
  expect([0, 1, 2, 3, 4, 100].map((refusals) => capacityPauseMs(refusals, 10, 60))).toEqual([10, 10, 20, 40, 60, 60]);
  expect(capacityPauseMs(25, 1, Number.MAX_SAFE_INTEGER)).toBe(2 ** 20);
});

describe('is the address on an instance that was fenced', () => {
  const fenced = { oldInstanceId: 'i-old', oldInterfaceId: 'eni-old', plannedAssociationId: 'assoc-1' };
  const seen = (part: object) =>
    ({ instanceId: null, networkInterfaceId: 'eni-old', associationId: 'assoc-1', ...part }) as CloudAddress;
  test.each<[string, boolean, boolean]>([
    ['the old one, by name', isOnFenced(seen({ instanceId: 'i-old' }), fenced), true],
    ['another one, by name, whatever the interface says', isOnFenced(seen({ instanceId: 'i-x' }), fenced), false],
    [
      'one an earlier recovery retired',
      isOnFenced(seen({ instanceId: 'i-older' }), { ...fenced, owedFrom: ['i-older'] }),
      true,
    ],
    ['no name: the planned association on the old interface', isOnFenced(seen({}), fenced), true],
    ['no name, another association', isOnFenced(seen({ associationId: 'assoc-2' }), fenced), false],
    ['no name, another interface', isOnFenced(seen({ networkInterfaceId: 'eni-x' }), fenced), false],
    [
      'no name, and the plan saw no association',
      isOnFenced(seen({ associationId: null }), { ...fenced, plannedAssociationId: null }),
      false,
    ],
    [
      'no name, and the plan knows no interface',
      isOnFenced(seen({ networkInterfaceId: null }), { ...fenced, oldInterfaceId: null }),
      false,
    ],
  ])('%s', (_, got, want) => expect(got).toBe(want));
});
