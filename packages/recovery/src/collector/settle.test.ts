import {
  type Chore,
  type Cloud,
  type CloudInstance,
  type CloudVolume,
  type HistoryRecord,
  type Leftover,
  TAG,
  type Term,
} from '@understudy/shared';
import { activationRecord, historyRecord, RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { choreKey } from '../core/chores.ts';
import { Absences } from './absences.ts';
import { CollectPass } from './collect-pass.ts';
import type { CollectSight } from './collect-sight.ts';
import { REGISTERED } from '../registered.ts';
import { RetryPace } from './retry-pace.ts';
import { cloudError, cloudInstance, cloudVolume, MEMBER } from '../run.fixtures.ts';
import { Settling } from './settle.ts';

const NEW = 'i-new';
const OP = historyRecord(MEMBER, 'i-old').opId;
const DENIED = cloudError('CLOUD_DENIED', 'UnauthorizedOperation');

const leftover = (kind: Leftover['kind'], over: Partial<Leftover> = {}): Leftover => ({
  ...{ kind, id: kind === 'instance' ? 'i-old' : `${kind}-1`, afterWallMs: 0, obstacle: null },
  ...over,
});
/** The old instance as it is when its time has come. */
const stopped = (over: Partial<CloudInstance> = {}) =>
  cloudInstance('i-old', { state: 'stopped', tags: { [TAG.retiredBy]: OP }, ...over });
const freeVolume = (over: Partial<CloudVolume> = {}) =>
  cloudVolume('volume-1', { state: 'available', tags: { [TAG.retiredBy]: OP }, ...over });

/** The collector's view of one ended recovery, pass after pass. */
class Books {
  readonly clock = new SimClock();
  readonly log = new RecordingLog();
  readonly calls: string[] = [];
  /** What EC2 answers to a call, by its name; absent: yes. */
  readonly refuses = new Map<string, Error>();
  instances: readonly CloudInstance[] | null = [];
  volumes: readonly CloudVolume[] | null = [];
  activated: string | null = NEW;
  record: HistoryRecord;
  readonly #parts;

  constructor(over: Partial<HistoryRecord>) {
    this.record = historyRecord(MEMBER, 'i-old', over);
    const { clock, log } = this;
    this.#parts = { clock, log, absences: new Absences(), pace: new RetryPace(), kinds: REGISTERED.leftovers };
  }

  get #cloud(): Cloud {
    const answer =
      (name: string) =>
      async (...args: unknown[]) => {
        this.calls.push(`${name} ${JSON.stringify(args.slice(0, -1))}`);
        const refusal = this.refuses.get(name);
        if (refusal) throw refusal;
      };
    return new Proxy({} as Cloud, { get: (_, name) => answer(String(name)) });
  }

  /** One pass; null: nothing changed. What changed is on the books of the next one. */
  async pass(effectsMax = 50) {
    const term = { signal: new AbortController().signal, holdsFor: () => true } as unknown as Term;
    const pass = new CollectPass(this.#cloud, term, { callTimeoutMs: 5_000, effectsMax });
    const sight: CollectSight = {
      instances: this.instances && new Map(this.instances.map((one) => [one.instanceId, one])),
      volumes: this.volumes && new Map(this.volumes.map((one) => [one.volumeId, one])),
    };
    const active = this.activated === null ? [] : [[MEMBER, activationRecord(MEMBER, this.activated)] as const];
    const none = { finished: new Map(), open: new Set<string>(), gone: new Set<string>(), named: new Set<string>() };
    const known = { ...none, activations: new Map(active) };
    const entry = { key: 'k', record: this.record, modRevision: 1 };
    const changed = await new Settling(this.#parts, pass, entry, { known, sight }).run();
    if (changed) this.record = { ...this.record, ...changed };
    return { ...pass.report(0), changed: changed !== null };
  }

  /** A pass, after so long. */
  async passAfter(ms: number) {
    await this.clock.advance(ms);
    return this.pass();
  }
}

const obstacles = ({ leftovers, owed }: HistoryRecord) =>
  [...leftovers, ...owed].map((one) => one.obstacle?.code ?? null);

test('what a newer build made is kept, and said once its time has come', async () => {
  const books = new Books({ leftovers: [leftover('balloon', { afterWallMs: Number.MAX_SAFE_INTEGER })] });
  expect(await books.pass()).toMatchObject({ changed: false, removed: [] });
  const due = new Books({ leftovers: [leftover('balloon')] });
  expect(await due.pass()).toMatchObject({ changed: true, removed: [] });
  expect([due.calls, obstacles(due.record)]).toEqual([[], ['KindUnknown']]);
  expect(await due.pass()).toMatchObject({ changed: false });
});

describe('a retired instance', () => {
  test('is terminated once its time has come, and off the books once it is seen terminated', async () => {
    const books = new Books({ leftovers: [leftover('instance')] });
    books.instances = [stopped()];
    expect(await books.pass()).toMatchObject({ changed: false, removed: [] });
    expect(books.calls).toEqual(['terminateInstance ["i-old"]']);
    expect(books.log.linesOf('collector.terminating')).toHaveLength(1);
    books.instances = [stopped({ state: 'terminated' })];
    expect(await books.pass()).toMatchObject({ changed: true, removed: [{ kind: 'instance', id: 'i-old' }] });
    expect(books.record.leftovers).toEqual([]);
    expect(books.calls).toHaveLength(1);
  });

  test('before its time is looked at and left alone', async () => {
    const books = new Books({ leftovers: [leftover('instance', { afterWallMs: Number.MAX_SAFE_INTEGER })] });
    books.instances = [stopped()];
    expect(await books.pass()).toMatchObject({ changed: false, kept: [] });
    expect(books.calls).toEqual([]);
    books.instances = [stopped({ state: 'terminated' })];
    expect((await books.pass()).removed).toHaveLength(1);
  });

  test('that lost its marks gets them again, with the time it is kept until', async () => {
    const until = Date.UTC(2027, 0, 1);
    const books = new Books({ leftovers: [leftover('instance', { afterWallMs: until })] });
    books.instances = [stopped({ tags: {} })];
    await books.pass();
    const tags = { [TAG.retiredBy]: OP, [TAG.retainUntil]: '2027-01-01T00:00:00.000Z' };
    expect(books.calls).toEqual([`createTags ${JSON.stringify([['i-old'], tags])}`]);
  });

  test('that is kept for ever is not marked with a time', async () => {
    const books = new Books({ leftovers: [leftover('instance', { afterWallMs: null })] });
    books.instances = [stopped({ tags: {} })];
    await books.pass();
    expect(books.calls).toEqual([`createTags ${JSON.stringify([['i-old'], { [TAG.retiredBy]: OP }])}`]);
  });

  test('that no look has shown for two minutes is gone; one that is shown again in between is not', async () => {
    const books = new Books({ leftovers: [leftover('instance')] });
    expect((await books.pass()).kept).toMatchObject([{ id: 'i-old' }]);
    expect((await books.passAfter(119_999)).removed).toEqual([]);
    books.instances = [stopped({ state: 'shutting-down' })];
    await books.passAfter(1);
    books.instances = [];
    await books.passAfter(119_999);
    expect((await books.passAfter(119_999)).removed).toEqual([]);
    expect((await books.passAfter(1)).removed).toHaveLength(1);
    expect(books.calls).toEqual([]);
  });

  test('that nobody saw stop stays on the books, however long EC2 does not show it', async () => {
    const books = new Books({ leftovers: [leftover('instance')], fencedBy: 'lease' });
    await books.pass();
    expect((await books.passAfter(86_400_000)).removed).toEqual([]);
    expect(obstacles(books.record)).toEqual(['NotShown']);
  });

  test.each([
    ['runs', { state: 'running' }, NEW, ['NotStopped']],
    ['is activated', {}, 'i-old', ['Activated']],
    ['has no successor', {}, null, ['NoSuccessor']],
    ['was retired by another recovery', { tags: { [TAG.retiredBy]: 'op-2' } }, NEW, ['RetiredByAnother']],
    ['is going already', { state: 'shutting-down' }, NEW, [null]],
  ] as const)('that %s is never terminated; its obstacle is on the books', async (_name, over, activated, expected) => {
    const books = new Books({ leftovers: [leftover('instance')] });
    books.instances = [stopped(over)];
    books.activated = activated;
    const { kept } = await books.pass();
    expect(kept).toMatchObject([{ kind: 'instance', id: 'i-old' }]);
    expect(obstacles(books.record)).toEqual(expected);
    expect(books.calls).toEqual([]);
  });

  test('says nothing of what stands in its way before its time', async () => {
    const books = new Books({ leftovers: [leftover('instance', { afterWallMs: Number.MAX_SAFE_INTEGER })] });
    books.instances = [stopped()];
    books.activated = 'i-old';
    expect(await books.pass()).toMatchObject({ kept: [], changed: false });
  });

  test('is not judged while instances cannot be read', async () => {
    const books = new Books({ leftovers: [leftover('instance')] });
    books.instances = null;
    expect(await books.pass()).toMatchObject({ changed: false, kept: [], removed: [] });
    await books.clock.advance(600_000);
    books.instances = [];
    expect((await books.pass()).removed).toEqual([]);
  });

  test('whose termination is refused is tried again after a minute, two, four; the books say since when', async () => {
    const books = new Books({ leftovers: [leftover('instance')] });
    books.instances = [stopped()];
    books.refuses.set('terminateInstance', DENIED);
    const sinceWallMs = books.clock.wallMs();
    expect((await books.pass()).kept).toMatchObject([{ id: 'i-old', why: DENIED.message }]);
    const obstacle = { code: 'UnauthorizedOperation', text: DENIED.message, sinceWallMs };
    expect(books.record.leftovers).toMatchObject([{ obstacle }]);
    expect(await books.passAfter(59_999)).toMatchObject({ changed: false, kept: [] });
    await books.passAfter(1);
    expect(books.calls).toHaveLength(2);
    await books.passAfter(119_999);
    expect(books.calls).toHaveLength(2);
    await books.passAfter(1);
    expect(books.calls).toHaveLength(3);
    expect(books.record.leftovers).toMatchObject([{ obstacle }]);
    expect(books.log.linesOf('leftover.obstructed')).toHaveLength(1);
    expect(books.log.linesOf('collector.terminating')).toEqual([]);
  });

  test('another obstacle is another one, since now', async () => {
    const books = new Books({ leftovers: [leftover('instance')] });
    books.instances = [stopped({ state: 'running' })];
    await books.pass();
    books.instances = [stopped()];
    books.activated = null;
    await books.passAfter(60_000);
    expect(books.record.leftovers).toMatchObject([
      { obstacle: { code: 'NoSuccessor', sinceWallMs: books.clock.wallMs() } },
    ]);
  });
});

describe('a data volume', () => {
  test('is deleted once its time has come, and off the books once it is seen deleted', async () => {
    const books = new Books({ leftovers: [leftover('volume')] });
    books.volumes = [freeVolume()];
    expect((await books.pass()).changed).toBe(false);
    expect(books.calls).toEqual(['deleteVolume ["volume-1"]']);
    books.volumes = [freeVolume({ state: 'deleted' })];
    expect((await books.pass()).removed).toEqual([{ kind: 'volume', id: 'volume-1' }]);
  });

  test('that is kept for ever is never deleted', async () => {
    const books = new Books({ leftovers: [leftover('volume', { afterWallMs: null })] });
    books.volumes = [freeVolume()];
    expect(await books.pass()).toMatchObject({ changed: false, kept: [] });
    expect(books.calls).toEqual([]);
  });

  test('that somebody uses elsewhere is theirs: off the books, and not in the list of what was removed', async () => {
    const books = new Books({ leftovers: [leftover('volume')] });
    const attachments = [{ instanceId: 'i-theirs', deviceName: '/dev/sdf', state: 'attached' }];
    books.volumes = [freeVolume({ attachments })];
    expect(await books.pass()).toMatchObject({ changed: true, removed: [] });
    expect(books.record.leftovers).toEqual([]);
    expect(books.log.linesOf('collector.volume_taken')).toHaveLength(1);
  });

  test('that no look has shown for two minutes is gone; one that is shown again in between is not', async () => {
    const books = new Books({ leftovers: [leftover('volume')] });
    await books.pass();
    books.volumes = [freeVolume({ state: 'in-use' })];
    await books.passAfter(119_999);
    books.volumes = [];
    expect((await books.passAfter(1)).removed).toEqual([]);
    expect((await books.passAfter(119_999)).removed).toEqual([]);
    expect((await books.passAfter(1)).removed).toHaveLength(1);
  });

  test('is not judged while volumes cannot be read', async () => {
    const books = new Books({ leftovers: [leftover('volume')] });
    books.volumes = null;
    await books.pass();
    expect(await books.passAfter(600_000)).toMatchObject({ changed: false, kept: [], removed: [] });
  });

  test.each([
    ['without the mark of its recovery', { tags: {} }, ['NotMarked']],
    [
      'that is still on the old instance',
      { attachments: [{ instanceId: 'i-old', deviceName: 'x', state: 'attached' }] },
      [null],
    ],
  ] as const)('%s is kept; only what does not pass is an obstacle', async (_name, over, expected) => {
    const books = new Books({ leftovers: [leftover('volume')] });
    books.volumes = [freeVolume(over)];
    expect((await books.pass()).kept).toMatchObject([{ kind: 'volume' }]);
    expect(obstacles(books.record)).toEqual(expected);
    expect(books.calls).toEqual([]);
  });

  test('before its time says nothing of what stands in its way', async () => {
    const books = new Books({ leftovers: [leftover('volume', { afterWallMs: Number.MAX_SAFE_INTEGER })] });
    books.volumes = [freeVolume({ tags: {} })];
    expect(await books.pass()).toMatchObject({ kept: [], changed: false });
  });

  test('whose deletion is refused has the obstacle on the books', async () => {
    const books = new Books({ leftovers: [leftover('volume')] });
    books.volumes = [freeVolume()];
    books.refuses.set('deleteVolume', DENIED);
    await books.pass();
    expect(obstacles(books.record)).toEqual(['UnauthorizedOperation']);
  });
});

describe('images, snapshots and network interfaces', () => {
  const all = [leftover('snapshot'), leftover('image'), leftover('network-interface')];

  test('are deleted in the order in which they can go', async () => {
    const books = new Books({ leftovers: all });
    const { removed, changed } = await books.pass();
    expect(books.calls).toEqual([
      'deleteNetworkInterface ["network-interface-1"]',
      'deregisterImage ["image-1"]',
      'deleteSnapshot ["snapshot-1"]',
    ]);
    expect(removed.map(({ kind }) => kind)).toEqual(['network-interface', 'image', 'snapshot']);
    expect(changed).toBe(true);
    expect(books.record.leftovers).toEqual([]);
  });

  test('are left alone before their time', async () => {
    const later = leftover('image', { afterWallMs: Number.MAX_SAFE_INTEGER });
    const books = new Books({ leftovers: [later, leftover('snapshot')] });
    await books.pass();
    expect(books.calls).toEqual(['deleteSnapshot ["snapshot-1"]']);
    expect(books.record.leftovers).toEqual([later]);
  });

  test('stay for the next pass when this one has made as many calls as it may', async () => {
    const books = new Books({ leftovers: all });
    await books.pass(1);
    expect(books.record.leftovers.map(({ kind }) => kind)).toEqual(['snapshot', 'image']);
    expect(obstacles(books.record)).toEqual([null, null]);
  });

  test('that EC2 does not know are gone once it has said nothing else for two minutes', async () => {
    const books = new Books({ leftovers: [leftover('image')] });
    books.refuses.set('deregisterImage', cloudError('CLOUD_NOT_FOUND', 'InvalidAMIID.NotFound'));
    expect((await books.pass()).removed).toEqual([]);
    books.refuses.set('deregisterImage', cloudError('CLOUD_CONFLICT', 'ImageInUse'));
    await books.passAfter(60_000);
    books.refuses.set('deregisterImage', cloudError('CLOUD_NOT_FOUND', 'InvalidAMIID.NotFound'));
    await books.passAfter(60_000);
    expect((await books.passAfter(119_999)).removed).toEqual([]);
    expect((await books.passAfter(1)).removed).toEqual([{ kind: 'image', id: 'image-1' }]);
  });

  test('a pass that has no call left for them has not asked, and forgets nothing', async () => {
    const books = new Books({ leftovers: [leftover('image')] });
    books.refuses.set('deregisterImage', cloudError('CLOUD_NOT_FOUND', 'InvalidAMIID.NotFound'));
    await books.pass();
    await books.clock.advance(60_000);
    await books.pass(0);
    expect((await books.passAfter(60_000)).removed).toEqual([{ kind: 'image', id: 'image-1' }]);
  });

  test('whose deletion is refused have the obstacle on the books', async () => {
    const books = new Books({ leftovers: [leftover('snapshot')] });
    books.refuses.set('deleteSnapshot', cloudError('CLOUD_CONFLICT', 'InvalidSnapshot.InUse'));
    expect((await books.pass()).kept).toHaveLength(1);
    expect(obstacles(books.record)).toEqual(['InvalidSnapshot.InUse']);
  });
});

const obstacle = { code: 'NotDone', text: 'it was not done', sinceWallMs: 5 };
const owing = (chore: Chore) => ({ chore, obstacle });
const TAGS: Chore = { kind: 'volume-tags', instanceId: NEW, deviceName: '/dev/sdf', tags: { team: 'data' } };
const PROTECT: Chore = { kind: 'protect', instanceId: NEW, stop: true, termination: false };
const RETIRE: Chore = {
  kind: 'retire-volume',
  instanceId: 'i-old',
  volumeId: 'volume-1',
  tags: { [TAG.retiredBy]: OP },
};
const withVolume = cloudInstance(NEW, {
  volumes: [{ deviceName: '/dev/sdf', volumeId: 'volume-1' }] as unknown as CloudInstance['volumes'],
});

describe('a chore that is owed', () => {
  test('is done again, and believed once a later pass sees it in place', async () => {
    const books = new Books({ owed: [owing(TAGS)] });
    books.instances = [withVolume];
    books.volumes = [cloudVolume('volume-1')];
    expect(await books.pass()).toMatchObject({ changed: false, choresDone: [] });
    expect(books.calls).toEqual(['createTags [["volume-1"],{"team":"data"}]']);
    books.volumes = [cloudVolume('volume-1', { tags: { team: 'data' } })];
    expect(await books.pass()).toMatchObject({ changed: true, choresDone: [expect.stringContaining('/dev/sdf')] });
    expect(books.record.owed).toEqual([]);
    expect(books.log.linesOf('chore.done')).toHaveLength(1);
  });

  test('that is a protection is believed at EC2’s word: nobody looks at it', async () => {
    const books = new Books({ owed: [owing(PROTECT)] });
    books.instances = [cloudInstance(NEW)];
    expect((await books.pass()).choresDone).toHaveLength(1);
    expect(books.record.owed).toEqual([]);
  });

  test('is dropped when another instance is activated now, even while nothing can be read', async () => {
    const books = new Books({ owed: [owing(TAGS)] });
    books.activated = 'i-third';
    books.instances = null;
    expect(await books.pass()).toMatchObject({ changed: true, choresDone: [] });
    expect(books.record.owed).toEqual([]);
    expect(books.log.linesOf('chore.moot')).toHaveLength(1);
  });

  test('on what the old instance leaves is done whoever is activated', async () => {
    const books = new Books({ owed: [owing(RETIRE)] });
    books.activated = 'i-third';
    books.volumes = [cloudVolume('volume-1')];
    await books.pass();
    expect(books.calls).toHaveLength(1);
  });

  test('stays while no activation can be read', async () => {
    const books = new Books({ owed: [owing(PROTECT)] });
    books.activated = null;
    books.instances = [cloudInstance(NEW)];
    expect((await books.pass()).choresDone).toHaveLength(1);
  });

  test.each([
    ['instances', null, []],
    ['volumes', [withVolume], null],
  ] as const)('is left as it is while %s cannot be read', async (_name, instances, volumes) => {
    const books = new Books({ owed: [owing(TAGS)] });
    Object.assign(books, { instances, volumes });
    expect((await books.pass()).changed).toBe(false);
    expect(books.calls).toEqual([]);
  });

  test('on an instance or a volume that EC2 does not show says so on the books', async () => {
    const books = new Books({ owed: [owing(TAGS)] });
    await books.pass();
    expect(books.record.owed[0]?.obstacle).toMatchObject({ code: 'NotShown', text: expect.stringContaining(NEW) });
    books.instances = [withVolume];
    await books.pass();
    expect(books.calls).toEqual([]);
    expect(obstacles(books.record)).toEqual(['NotShown']);
  });

  test.each([
    ['refused', DENIED, 'UnauthorizedOperation'],
    ['answered with "not found"', cloudError('CLOUD_NOT_FOUND', 'InvalidInstanceID.NotFound'), 'NotFound'],
  ])('that is %s stays owed, with the obstacle', async (_name, error, code) => {
    const books = new Books({ owed: [owing(PROTECT)] });
    books.instances = [cloudInstance(NEW)];
    books.refuses.set('setProtection', error);
    const sinceWallMs = books.clock.wallMs();
    expect((await books.pass()).choresDone).toEqual([]);
    expect(books.record.owed).toMatchObject([{ chore: PROTECT, obstacle: { code, sinceWallMs } }]);
    await books.passAfter(600_000);
    expect(books.record.owed).toMatchObject([{ obstacle: { code, sinceWallMs } }]);
  });

  test('is paced by itself: another chore that is refused does not hold it up', async () => {
    const books = new Books({ owed: [owing(PROTECT), owing(TAGS)] });
    expect(choreKey(PROTECT)).not.toBe(choreKey(TAGS));
    books.instances = [withVolume];
    books.volumes = [cloudVolume('volume-1')];
    books.refuses.set('setProtection', DENIED);
    await books.pass();
    expect((await books.passAfter(1_000)).changed).toBe(false);
    expect(books.calls.map((one) => one.split(' ')[0])).toEqual(['setProtection', 'createTags', 'createTags']);
  });
});

test('the books are not written when nothing has changed, and what is left keeps its order', async () => {
  const books = new Books({ leftovers: [leftover('snapshot'), leftover('image')], owed: [owing(PROTECT)] });
  for (const name of ['deleteSnapshot', 'deregisterImage', 'setProtection']) books.refuses.set(name, DENIED);
  books.instances = [cloudInstance(NEW)];
  expect((await books.pass()).changed).toBe(true);
  expect(books.record.leftovers.map(({ kind }) => kind)).toEqual(['snapshot', 'image']);
  expect((await books.passAfter(60_000)).changed).toBe(false);
  books.refuses.delete('setProtection');
  expect((await books.passAfter(600_000)).changed).toBe(true);
  expect([books.record.leftovers.length, books.record.owed.length]).toEqual([2, 0]);
});
