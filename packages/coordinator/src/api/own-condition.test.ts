import { type Problem, problemOf } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { OwnCondition, type OwnConditionOptions } from './own-condition.ts';

const problem = (code: Parameters<typeof problemOf>[0]): Problem => problemOf(code, 'so it is');

let fresh: boolean;
let gate: Problem | null;
let writes: Problem[];
let duplicate: Problem | null;
let level: Problem | null;
let led: Problem[];
let condition: OwnCondition;
beforeEach(() => {
  fresh = true;
  gate = null;
  writes = [];
  duplicate = null;
  level = null;
  led = [];
  condition = new OwnCondition({
    clock: new SimClock(),
    view: { isFresh: () => fresh },
    gate: {
      get problem() {
        return gate;
      },
    },
    writes: { problems: () => writes, trouble: () => (writes.length > 0 ? 'etcd does not take writes' : null) },
    presence: {
      get duplicate() {
        return duplicate;
      },
    },
    levelGate: { problem: () => level },
    leader: { problems: () => led },
    freshForMs: 10_000,
  } as unknown as OwnConditionOptions);
});

const codes = () => condition.notReady().map((one) => one.code);

describe('a coordinator is ready', () => {
  test('while etcd is proven and takes its writes, and the leader in it has no trouble', () => {
    expect([codes(), condition.isStoreWritable(), condition.storeTrouble()]).toEqual([[], true, null]);
    led = [problem('CLOUD_DENIED')];
    expect(codes()).toEqual(['CLOUD_DENIED']);
  });

  test('not before it may use this etcd at all, and then nothing else is said of it', () => {
    gate = problem('STORE_TOO_OLD');
    fresh = false;
    writes = [problem('STORE_NOT_WRITABLE')];
    expect([codes(), condition.isStoreWritable()]).toEqual([['STORE_TOO_OLD'], false]);
  });

  test('not on a view that nobody proves; that no write is answered either is then no news', () => {
    fresh = false;
    writes = [problem('STORE_NOT_WRITABLE')];
    expect(codes()).toEqual(['STORE_UNAVAILABLE']);
    expect(condition.notReady()[0]?.text).toContain('within 10.0 s');
  });

  test('not while writes are refused, whatever the view is', () => {
    writes = [problem('STORE_NO_SPACE')];
    expect([codes(), condition.isStoreWritable()]).toEqual([['STORE_NO_SPACE'], false]);
    fresh = false;
    expect(codes()).toEqual(['STORE_UNAVAILABLE', 'STORE_NO_SPACE']);
    fresh = true;
    writes = [problem('STORE_NOT_WRITABLE')];
    expect(codes()).toEqual(['STORE_NOT_WRITABLE']);
  });

  test.each(['STORE_DENIED', 'STORE_REJECTED'] as const)('%s says better why the view is old', (code) => {
    fresh = false;
    writes = [problem(code)];
    expect(codes()).toEqual([code]);
  });

  test('not while another process has its id, or its build is too old', () => {
    duplicate = problem('DUPLICATE_COORDINATOR_ID');
    level = problem('BUILD_TOO_OLD');
    expect(codes()).toEqual(['DUPLICATE_COORDINATOR_ID', 'BUILD_TOO_OLD']);
  });
});
