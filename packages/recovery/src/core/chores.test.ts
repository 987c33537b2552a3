import {
  type Chore,
  type CloudInstance,
  type CloudVolume,
  GroupPolicySchema,
  type PlannedVolume,
  TAG,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import {
  type ChoreFacts,
  choreKey,
  type ChoreMove,
  choreMove,
  choresOf,
  type ChoreSight,
  choreText,
  choreVolumeId,
} from './chores.ts';

const TAGS: Chore = { kind: 'volume-tags', instanceId: 'i-new', deviceName: '/dev/sdf', tags: { b: '2', a: '1' } };
const BIND: Chore = { kind: 'bind-interface', instanceId: 'i-new', networkInterfaceId: 'eni-1' };
const PROTECT: Chore = { kind: 'protect', instanceId: 'i-new', stop: true, termination: true };
const RETIRE: Chore = {
  kind: 'retire-volume',
  instanceId: 'i-old',
  volumeId: 'vol-old',
  tags: { [TAG.retiredBy]: 'op-1' },
};

const instance = (part: object = {}): CloudInstance =>
  ({
    ...{ instanceId: 'i-new', state: 'running', volumes: [{ deviceName: '/dev/sdf', volumeId: 'vol-new' }] },
    networkInterfaces: [
      { networkInterfaceId: 'eni-0', attachmentId: 'attach-0', deleteOnTermination: true },
      { networkInterfaceId: 'eni-1', attachmentId: 'attach-1', deleteOnTermination: false },
    ],
    ...part,
  }) as unknown as CloudInstance;
const volume = (tags: Record<string, string>, part: object = {}): CloudVolume =>
  ({
    ...{ volumeId: 'vol-new', state: 'in-use', attachments: [{ instanceId: 'i-new' }], tags },
    ...part,
  }) as unknown as CloudVolume;
const many = (count: number, prefix = 'k'): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, 'x']));

const move = (chore: Chore, sight: Partial<ChoreSight> = {}): ChoreMove =>
  choreMove(chore, { instance: instance(), ...sight });
const stuck = (code: string, text: string) => ({ kind: 'stuck', code, text });
const tag = (resourceId: string, tags: object) => ({ kind: 'call', call: { kind: 'tag', resourceId, tags } });

describe('an option that is put back', () => {
  const migration: Chore = { kind: 'reboot-migration', instanceId: 'i-new', value: 'disabled' };
  const records: Chore = { kind: 'dns-records', instanceId: 'i-new', a: false, aaaa: true };
  const shown = (raw: object) => ({ instance: instance({ raw }) });
  const dns = (a: boolean, aaaa: boolean) =>
    shown({ PrivateDnsNameOptions: { EnableResourceNameDnsARecord: a, EnableResourceNameDnsAAAARecord: aaaa } });

  test('is set until the instance shows it', () => {
    expect(move(migration, shown({}))).toEqual({ kind: 'call', call: migration });
    expect(move(migration, shown({ MaintenanceOptions: { RebootMigration: 'disabled' } }))).toEqual({ kind: 'done' });
    expect(move(records, dns(false, false))).toEqual({ kind: 'call', call: records });
    expect(move(records, dns(true, true))).toEqual({ kind: 'call', call: records });
    expect(move(records, dns(false, true))).toEqual({ kind: 'done' });
  });

  test('is told with what it is', () => {
    expect([migration, records, { ...records, a: true }].map((one) => [choreKey(one), choreText(one)])).toEqual([
      ['reboot-migration', 'reboot migration of i-new is to be disabled'],
      ['dns-records', 'DNS records of the resource name of i-new: AAAA'],
      ['dns-records', 'DNS records of the resource name of i-new: A and AAAA'],
    ]);
  });
});

describe('what has to be put in place', () => {
  const disk = (deviceName: string, tags: Record<string, string>, deleteOnTermination: boolean): PlannedVolume =>
    ({
      volumeId: `vol${deviceName}`,
      deviceName,
      isRoot: deviceName === '/dev/xvda',
      tags,
      deleteOnTermination,
    }) as PlannedVolume;
  const facts = (part: Partial<ChoreFacts> = {}): ChoreFacts => ({
    plan: {
      protection: { stop: false, termination: false },
      policy: GroupPolicySchema.parse({}),
    },
    volumes: [disk('/dev/xvda', {}, true), disk('/dev/sdf', { team: 'data' }, false)],
    ...{ opId: 'op-1', oldInstanceId: 'i-old', newInstanceId: 'i-new', permitId: 'eni-1', volumesRetainedUntil: null },
    ...part,
  });

  test('marks on what outlives the old instance, own tags, the interface; in that order', () => {
    expect(choresOf(facts())).toEqual([
      { kind: 'retire-volume', instanceId: 'i-old', volumeId: 'vol/dev/sdf', tags: { [TAG.retiredBy]: 'op-1' } },
      { kind: 'volume-tags', instanceId: 'i-new', deviceName: '/dev/sdf', tags: { team: 'data' } },
      { kind: 'bind-interface', instanceId: 'i-new', networkInterfaceId: 'eni-1' },
    ]);
  });

  test('a retention that is named is on the mark', () => {
    const [first] = choresOf(facts({ volumesRetainedUntil: '2026-01-01T00:00:00.000Z' }));
    const until = { [TAG.retiredBy]: 'op-1', [TAG.retainUntil]: '2026-01-01T00:00:00.000Z' };
    expect(first).toMatchObject({ kind: 'retire-volume', tags: until });
  });

  test.each([
    [true, false],
    [false, true],
    [true, true],
  ])('protection, where the failed instance had some: stop %s, termination %s', (stop, termination) => {
    const { plan } = facts();
    const chores = choresOf(facts({ plan: { ...plan, protection: { stop, termination } } }));
    expect(chores.find((one) => one.kind === 'protect')).toEqual({
      kind: 'protect',
      instanceId: 'i-new',
      stop,
      termination,
    });
    expect(choresOf(facts()).some((one) => one.kind === 'protect')).toBe(false);
  });
});

describe('a disk that is to go with the instance', () => {
  const at = (deviceName: string, volumeId: string) => ({ deviceName, volumeId, deleteOnTermination: false });
  const chore = { kind: 'bind-disk', instanceId: 'i-new', deviceName: '/dev/sdf', volumeId: 'vol-1' } as const;
  const seen = (...volumes: readonly object[]) => move(chore, { instance: instance({ volumes }) });
  const bind = (deviceName: string) => ({ kind: 'call', call: { kind: 'bind-disk', instanceId: 'i-new', deviceName } });

  test('is known by its id, under whatever device', () => {
    expect(seen(at('/dev/sdf', 'vol-1'))).toEqual(bind('/dev/sdf'));
    expect(seen(at('/dev/sdg', 'vol-1'), at('/dev/sdf', 'vol-other'))).toEqual(bind('/dev/sdg'));
  });

  test('is not another one that somebody has put under its device', () =>
    expect(seen(at('/dev/sdf', 'vol-other'))).toMatchObject({ kind: 'stuck', code: 'NotShown' }));

  test('is the one under its device, where an older build has written no id', () => {
    const { volumeId: _, ...older } = chore;
    expect(move(older, { instance: instance({ volumes: [at('/dev/sdf', 'vol-9')] }) })).toEqual(bind('/dev/sdf'));
  });
});

test('each chore has a name of its own, and says what is not in place', () => {
  expect([TAGS, BIND, PROTECT, RETIRE].map(choreKey)).toEqual([
    'tag-/dev/sdf',
    'bind-eni-1',
    'protect',
    'retire-vol-old',
  ]);
  expect([TAGS, BIND, PROTECT, RETIRE].map(choreText)).toEqual([
    'tags of the volume at /dev/sdf of i-new: b, a',
    'eni-1 is to be deleted together with i-new',
    'stop and termination protection of i-new',
    'marks on vol-old, which i-old leaves behind',
  ]);
  const one = (stop: boolean) => choreText({ kind: 'protect', instanceId: 'i-new', stop, termination: !stop });
  expect([one(true), one(false)]).toEqual(['stop protection of i-new', 'termination protection of i-new']);
});

test('which volume a chore is about', () => {
  expect(choreVolumeId(RETIRE, null)).toBe('vol-old');
  expect(choreVolumeId(TAGS, instance())).toBe('vol-new');
  expect(choreVolumeId(TAGS, null)).toBeNull();
  expect(choreVolumeId(TAGS, instance({ volumes: [{ deviceName: '/dev/sdg', volumeId: 'vol-g' }] }))).toBeNull();
  expect(choreVolumeId(BIND, instance())).toBeNull();
  expect(choreVolumeId(PROTECT, instance())).toBeNull();
});

describe('of a replacement that', () => {
  test.each([TAGS, BIND, PROTECT])('is not shown: $kind waits, and says so', (chore) =>
    expect(move(chore, { instance: null })).toEqual(stuck('NotShown', 'EC2 does not show i-new')),
  );
  test.each([TAGS, BIND, PROTECT])('is terminated: $kind is moot', (chore) =>
    expect(move(chore, { instance: instance({ state: 'terminated' }) })).toEqual({
      kind: 'moot',
      why: 'i-new is terminated',
    }),
  );
  test.each(['pending', 'stopped', 'shutting-down'])('is %s: goes on', (state) =>
    expect(move(BIND, { instance: instance({ state }) }).kind).toBe('call'),
  );
});

describe('tags of a volume', () => {
  test('all of them while it was not looked at', () => expect(move(TAGS)).toEqual(tag('vol-new', { b: '2', a: '1' })));
  test('only what is missing, never what a person has set', () =>
    expect(move(TAGS, { volume: volume({ a: 'mine' }) })).toEqual(tag('vol-new', { b: '2' })));
  test('none, when all are there', () =>
    expect(move(TAGS, { volume: volume({ a: '', b: 'x' }) })).toEqual({ kind: 'done' }));
  test('as many as there is room for: 50, those of AWS not counted', () => {
    expect(move(TAGS, { volume: volume(many(48)) })).toEqual(tag('vol-new', { b: '2', a: '1' }));
    expect(move(TAGS, { volume: volume(many(49)) })).toEqual(tag('vol-new', { b: '2' }));
    expect(move(TAGS, { volume: volume({ ...many(48), ...many(9, 'aws:') }) })).toEqual(
      tag('vol-new', { b: '2', a: '1' }),
    );
  });
  test('no room: says for which', () =>
    expect(move(TAGS, { volume: volume(many(50)) })).toEqual(
      stuck('TagLimitExceeded', 'vol-new has 50 tags: no room for b, a'),
    ));
  test('no volume at that device, or EC2 does not show it', () => {
    expect(move(TAGS, { instance: instance({ volumes: [] }) })).toEqual(
      stuck('NotShown', 'i-new shows no volume at /dev/sdf'),
    );
    expect(move(TAGS, { volume: null })).toEqual(stuck('NotShown', 'EC2 does not show vol-new'));
  });
});

describe('the interface', () => {
  test('is bound by its own attachment', () =>
    expect(move(BIND)).toEqual({
      kind: 'call',
      call: { kind: 'bind', networkInterfaceId: 'eni-1', attachmentId: 'attach-1' },
    }));
  const own = (part: object) =>
    instance({
      networkInterfaces: [
        { networkInterfaceId: 'eni-1', attachmentId: 'attach-1', deleteOnTermination: false, ...part },
      ],
    });
  test('that is bound already is done', () =>
    expect(move(BIND, { instance: own({ deleteOnTermination: true }) })).toEqual({ kind: 'done' }));
  test('that is not shown, or has no attachment, waits', () => {
    expect(move(BIND, { instance: own({ networkInterfaceId: 'eni-2' }) })).toEqual(
      stuck('NotShown', 'i-new does not show eni-1'),
    );
    expect(move(BIND, { instance: own({ attachmentId: null }) })).toEqual(
      stuck('NotShown', 'EC2 names no attachment of eni-1'),
    );
  });
});

describe('protection', () => {
  const call = (protection: object) => ({ kind: 'call', call: { kind: 'protect', instanceId: 'i-new', protection } });
  test('all that is wanted, while it was not looked at', () =>
    expect(move(PROTECT)).toEqual(call({ stop: true, termination: true })));
  test('what is missing', () => {
    expect(move(PROTECT, { protection: { stop: true, termination: false } })).toEqual(call({ termination: true }));
    expect(move(PROTECT, { protection: { stop: false, termination: true } })).toEqual(call({ stop: true }));
  });
  test('never more than the failed instance had', () => {
    expect(move({ ...PROTECT, stop: false })).toEqual(call({ termination: true }));
    expect(move({ ...PROTECT, termination: false })).toEqual(call({ stop: true }));
  });
  test('nothing is missing', () =>
    expect(move(PROTECT, { protection: { stop: true, termination: true } })).toEqual({ kind: 'done' }));
});

describe('a data volume that outlives the old instance', () => {
  const old = (tags: Record<string, string>, part: object = {}) =>
    volume(tags, { volumeId: 'vol-old', state: 'available', attachments: [], ...part });
  test('is marked, whatever is known of an instance', () => {
    expect(move(RETIRE, { instance: null })).toEqual(tag('vol-old', { [TAG.retiredBy]: 'op-1' }));
    expect(move(RETIRE, { volume: old({}) })).toEqual(tag('vol-old', { [TAG.retiredBy]: 'op-1' }));
    const attached = { attachments: [{ instanceId: 'i-old' }], state: 'in-use' };
    expect(move(RETIRE, { volume: old({}, attached) }).kind).toBe('call');
  });
  test('that carries the mark is done', () =>
    expect(move(RETIRE, { volume: old({ [TAG.retiredBy]: 'op-1' }) })).toEqual({ kind: 'done' }));
  test('that is not shown waits', () =>
    expect(move(RETIRE, { volume: null })).toEqual({
      kind: 'stuck',
      code: 'NotShown',
      text: 'EC2 does not show vol-old',
    }));
  test.each(['deleted', 'deleting'])('that is %s is moot', (state) =>
    expect(move(RETIRE, { volume: old({}, { state }) })).toEqual({ kind: 'moot', why: 'vol-old is deleted' }),
  );
  test('that somebody attached elsewhere is theirs', () =>
    expect(
      move(RETIRE, { volume: old({}, { attachments: [{ instanceId: 'i-old' }, { instanceId: 'i-x' }] }) }),
    ).toEqual({
      kind: 'moot',
      why: 'vol-old is attached to i-x now',
    }));
  test('without room for the mark stays on the books alone', () =>
    expect(move(RETIRE, { volume: old(many(50)) })).toMatchObject({ kind: 'moot' }));
});
