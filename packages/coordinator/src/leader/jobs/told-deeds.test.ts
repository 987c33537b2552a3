import { type GuardedDelete, keyspace, type Term } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { Deeds } from '../../hints/deeds.ts';
import { ToldDeedsJob, type ToldDeedsJobOptions } from './told-deeds.ts';

test('a record of deeds that cannot be read is removed, and no other that cannot be', async () => {
  const keys = keyspace();
  const bad = keys.deedsOf('db/m1');
  const unreadable = new Map(
    [bad, keys.hold('db/m1')].map((key, nth) => [key, { key, modRevision: nth + 5 }] as const),
  );
  const records = { unreadable, deeds: new Map(), history: new Map() };
  const options = { everyMs: 1, deeds: new Deeds(), keys, clock: new SimClock() };
  const view = { records, isFresh: () => true };
  const removed: GuardedDelete[] = [];
  const remove = async (deletes: readonly GuardedDelete[]) => void removed.push(...deletes);
  await new ToldDeedsJob({ ...options, view } as unknown as ToldDeedsJobOptions).run({ remove } as unknown as Term);
  expect(removed).toEqual([{ key: bad, expect: 5 }]);
});
