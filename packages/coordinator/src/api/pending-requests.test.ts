import { keyspace } from '@understudy/shared';
import { expect, test } from 'vitest';
import { entryOf, requestRecord } from '@understudy/shared/testing';
import { ClusterRecords } from '../store/cluster-records.ts';
import { pendingRequest, pendingRequests } from './pending-requests.ts';

const keys = keyspace('/t/v1/');

test('what operators asked for is shown with what, by whom, why and since when, the oldest first, until its record goes', () => {
  const records = new ClusterRecords(keys.root);
  records.put(entryOf(keys.request('db/two'), requestRecord('db/two', 'op-2', { atWallMs: 2_000 }), 1));
  records.put(entryOf(keys.request('db/one'), requestRecord('db/one', 'op-1', { atWallMs: 1_000 }), 2));
  expect(pendingRequests(records).map(({ member }) => member)).toEqual(['db/one', 'db/two']);
  expect(pendingRequest(records, 'db/one')).toEqual({
    ...{ member: 'db/one', kind: 'retry', opId: 'op-1', by: 'ann', why: 'capacity is back', atWallMs: 1_000 },
    ...{ loss: null, leaveOpen: false },
  });
  records.delete(keys.request('db/one'));
  expect(pendingRequest(records, 'db/one')).toBeNull();
  expect(pendingRequests(records)).toHaveLength(1);
});
