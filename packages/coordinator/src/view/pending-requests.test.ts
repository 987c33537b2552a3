import { keyspace } from '@understudy/shared';
import { expect, test } from 'vitest';
import { entryOf, requestRecord } from '../leader/records.fixtures.ts';
import { ClusterMirror } from './cluster-view-mirror.ts';
import { pendingRequest, pendingRequests } from './pending-requests.ts';

const keys = keyspace('/t/v1/');

test('what operators asked for is shown with what, by whom, why and since when, the oldest first, until its record goes', () => {
  const mirror = new ClusterMirror(keys.root);
  mirror.put(entryOf(keys.request('db/two'), requestRecord('db/two', 'op-2', { atWallMs: 2_000 }), 1));
  mirror.put(entryOf(keys.request('db/one'), requestRecord('db/one', 'op-1', { atWallMs: 1_000 }), 2));
  expect(pendingRequests(mirror).map(({ member }) => member)).toEqual(['db/one', 'db/two']);
  expect(pendingRequest(mirror, 'db/one')).toEqual({
    ...{ member: 'db/one', kind: 'retry', opId: 'op-1', by: 'ann', why: 'capacity is back', atWallMs: 1_000 },
    ...{ loss: null, leaveOpen: false },
  });
  mirror.delete(keys.request('db/one'));
  expect(pendingRequest(mirror, 'db/one')).toBeNull();
  expect(pendingRequests(mirror)).toHaveLength(1);
});
