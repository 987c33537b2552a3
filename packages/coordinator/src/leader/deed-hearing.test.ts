import {
  type Deed,
  type DeedsRecord,
  type GuardedPut,
  type KeptDeed,
  keyspace,
  type MemberId,
  OperationError,
  type Term,
} from '@understudy/shared';
import { activationRecord, RecordingLog, SimClock, WRITTEN } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { Deeds } from '../hints/deeds.ts';
import { DeedHearing, type DeedHearingOptions } from './deed-hearing.ts';

const keys = keyspace();
const memberOf = (nth: number): MemberId => `db/m${nth}`;
const idOf = (nth: number): string => `i-${nth}`;

/** An etcd in which each key has a revision, and a view that is as old as `see` left it. */
function scene(members: number) {
  const clock = new SimClock();
  const active = new Map(Array.from({ length: members }, (_, nth) => [idOf(nth), { member: memberOf(nth) }]));
  const records = {
    activations: new Map(
      [...active].map(([id, { member }]) => [member, { record: activationRecord(member, id), modRevision: 1 }]),
    ),
    intents: new Map(),
    history: new Map(),
    deeds: new Map<MemberId, { record: DeedsRecord; modRevision: number }>(),
    unreadable: new Map<string, { modRevision: number }>(),
  };
  const stood = new Map<string, number>();
  const wrote = new Map<string, readonly KeptDeed[]>();
  const sizes: number[] = [];
  const log = new RecordingLog();
  const term = {
    async commit({ puts }: { puts: readonly GuardedPut[] }) {
      sizes.push(puts.length);
      if (puts.some(({ key, expect: at }) => (stood.get(key) ?? 0) !== at)) return { kind: 'conflict' };
      for (const { key, record } of puts) {
        const { member, kept } = record as unknown as DeedsRecord;
        stood.set(key, (stood.get(key) ?? 0) + 1);
        wrote.set(key, kept);
        records.deeds.set(member, { record: { ...WRITTEN, member, kept }, modRevision: stood.get(key) ?? 0 });
        records.unreadable.delete(key);
      }
      return { kind: 'committed' };
    },
  } as unknown as Term;
  const view = { records, isFresh: () => true };
  const options = { view, keys, deeds: new Deeds(), clock, log };
  const hearing = new DeedHearing(options as unknown as DeedHearingOptions);
  const note = (nth: number, eventId: string, over: Partial<Deed> = {}) =>
    hearing.note(
      {
        ...{ action: 'StopInstances', by: 'arn:x', atWallMs: clock.wallMs(), requestId: 'r', eventId, isOurs: false },
        ...over,
      },
      [idOf(nth)],
      active,
      clock.monotonicMs(),
    );
  return { clock, records, stood, wrote, sizes, log, term, hearing, note };
}

test('twenty are written at once', async () => {
  const { sizes, term, hearing, note } = scene(30);
  const tickets = Array.from({ length: 30 }, (_, nth) => note(nth, `e${nth}`)).flat();
  expect((await hearing.write(term)).settled).toEqual(tickets.slice(0, 20));
  expect((await hearing.write(term)).settled).toEqual(tickets.slice(20));
  expect(sizes).toEqual([20, 10]);
});

test('a key that is not as it is seen holds none of the others, and fails by itself in the end', async () => {
  const { stood, sizes, log, term, hearing, note } = scene(20);
  const tickets = Array.from({ length: 20 }, (_, nth) => note(nth, `e${nth}`)).flat();
  stood.set(keys.deedsOf(memberOf(7)), 99);
  const { settled, failed } = await hearing.write(term);
  expect([settled, failed]).toEqual([tickets.filter((_, nth) => nth !== 7), []]);
  expect(sizes).toEqual([20, ...Array.from({ length: 20 }, () => 1)]);
  for (let passes = 0; passes < 3; passes += 1) expect(await hearing.write(term)).toEqual({ settled: [], failed: [] });
  expect(await hearing.write(term)).toEqual({ settled: [], failed: [tickets[7]] });
  expect(log.events()).toContain('event.deed_not_kept');
});

test('a record that cannot be read is replaced, together with what else is due', async () => {
  const { records, stood, wrote, sizes, term, hearing, note } = scene(2);
  const key = keys.deedsOf(memberOf(0));
  stood.set(key, 41);
  records.unreadable.set(key, { modRevision: 41 });
  const tickets = [...note(0, 'a'), ...note(1, 'b')];
  expect(await hearing.write(term)).toEqual({ settled: tickets, failed: [] });
  expect(sizes).toEqual([2]);
  expect(wrote.get(key)?.map((one) => one.eventId)).toEqual(['a']);
});

test('a flood of newer deeds is written a few times, and then once in ten seconds', async () => {
  const { clock, wrote, sizes, term, hearing, note } = scene(1);
  const flood = async (name: string) => {
    for (let nth = 0; nth < 50; nth += 1) {
      await clock.advance(1);
      note(0, `${name}${nth}`);
      await hearing.write(term);
    }
  };
  await flood('a');
  expect(sizes).toHaveLength(3 + 20);
  note(0, 'end', { action: 'TerminateInstances' });
  await hearing.write(term);
  expect(wrote.get(keys.deedsOf(memberOf(0)))?.map((one) => one.eventId)).toEqual(['a0', 'a1', 'a22', 'end']);
  await clock.advance(10_000);
  await flood('b');
  expect(sizes).toHaveLength(3 + 20 + 1 + 1);
});

test('what etcd refuses fails, and is not tried one by one', async () => {
  const { sizes, hearing, note } = scene(2);
  const tickets = [...note(0, 'a'), ...note(1, 'b')];
  const commit = (): Promise<never> => {
    sizes.push(0);
    return Promise.reject(new OperationError('STORE_DENIED', 'permission denied'));
  };
  expect(await hearing.write({ commit } as unknown as Term)).toEqual({ settled: [], failed: tickets });
  expect(sizes).toEqual([0]);
});
