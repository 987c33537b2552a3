import { OperationError } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { storeError } from './etcd-errors.ts';

describe('etcd errors in our words', () => {
  const cases: readonly (readonly [text: string, read: string, write: string])[] = [
    [
      '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED',
      'STORE_UNAVAILABLE',
      'STORE_UNAVAILABLE',
    ],
    ['14 UNAVAILABLE: Connection dropped', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['14 UNAVAILABLE: read ECONNRESET', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['14 UNAVAILABLE: etcdserver: request timed out', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['14 UNAVAILABLE: etcdserver: leader changed', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['4 DEADLINE_EXCEEDED: call timeout', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['1 CANCELLED: the store is closed', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['2 UNKNOWN: something', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['13 INTERNAL: Received RST_STREAM with code 2', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
    ['8 RESOURCE_EXHAUSTED: etcdserver: too many requests', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    ['8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded', 'STORE_NO_SPACE', 'STORE_NO_SPACE'],
    ['15 DATA_LOSS: etcdserver: corrupt cluster', 'STORE_CORRUPT', 'STORE_CORRUPT'],
    ['etcdserver: mvcc: database space exceeded', 'STORE_NO_SPACE', 'STORE_NO_SPACE'],
    ['8 RESOURCE_EXHAUSTED: Received message larger than max', 'STORE_REJECTED', 'STORE_OUTCOME_UNKNOWN'],
    ['3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request', 'STORE_REJECTED', 'STORE_REJECTED'],
    ['3 INVALID_ARGUMENT: etcdserver: revision of auth store is old', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    ['7 PERMISSION_DENIED: etcdserver: permission denied', 'STORE_DENIED', 'STORE_DENIED'],
    ['etcdserver: permission denied', 'STORE_DENIED', 'STORE_DENIED'],
    ['16 UNAUTHENTICATED: etcdserver: invalid auth token', 'STORE_REJECTED', 'STORE_REJECTED'],
    ['something nobody has seen before', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'],
  ];
  for (const [text, read, write] of cases)
    it(text, () => {
      expect(storeError(new Error(text), 'get', false).code).toBe(read);
      expect(storeError(new Error(text), 'txn', true).code).toBe(write);
    });

  it('names the gRPC status and keeps the cause', () => {
    const cause = new Error('14 UNAVAILABLE: Connection dropped');
    expect(storeError(cause, 'get', false)).toMatchObject({ upstreamCode: 'UNAVAILABLE', cause });
  });

  it('names a lease that is gone', () => {
    const gone = new Error('5 NOT_FOUND: etcdserver: requested lease not found');
    expect(storeError(gone, 'txn', true)).toMatchObject({ code: 'STORE_REJECTED', upstreamCode: 'LEASE_NOT_FOUND' });
  });

  it('leaves our own errors as they are', () => {
    const own = new OperationError('STORE_UNAVAILABLE', 'the store is closed');
    expect(storeError(own, 'txn', true)).toBe(own);
  });
});
