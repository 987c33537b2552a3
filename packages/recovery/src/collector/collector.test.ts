import {
  type Cloud,
  type CloudFilters,
  type CloudInstance,
  type CommitOutcome,
  type GuardedWrite,
  keyspace,
  silentLog,
  TAG,
  type Term,
} from '@understudy/shared';
import { SimClock, SimKv } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { Collector } from './collector.ts';

const KEYS = keyspace();

/** One ended recovery per member. `leftoverAfterWallMs: null`: nothing is left of it. */
function ended(member: string, opId: string, endedAtWallMs: number, leftoverAfterWallMs: number | null) {
  const oldInstanceId = `i-old-${opId}`;
  const leftovers =
    leftoverAfterWallMs === null
      ? []
      : [{ kind: 'instance' as const, id: oldInstanceId, afterWallMs: leftoverAfterWallMs, obstacle: null }];
  const stamp = { schemaVersion: 1, writeId: opId, writtenBy: 'c1', writtenAtWallMs: 0 };
  const numbers = {
    newIncarnation: 2,
    startedAtWallMs: 0,
    endedAtWallMs,
    leaderChanges: 0,
    fencedBy: 'stopped',
    launchAttempts: 1,
    ...{ ordinal: 0, oldAz: 'us-east-1a', oldLaunchedAtWallMs: null, owed: [] },
  };
  const texts = { opId, member, outcome: 'replaced', reason: 'dead', oldInstanceId, newInstanceId: `i-new-${opId}` };
  return { ...stamp, ...texts, ...numbers, lastHeardWallMs: null, steps: [], leftovers };
}

class Scene {
  readonly clock = new SimClock();
  readonly kv = new SimKv({ clock: this.clock });
  readonly writes: GuardedWrite[] = [];

  put(records: readonly ReturnType<typeof ended>[]): void {
    for (const record of records) {
      const key = `${KEYS.history}${record.member}/${record.opId}`;
      this.kv.apply({ compare: [], writes: [{ kind: 'put', key, value: JSON.stringify(record) }] });
    }
  }

  get term(): Term {
    return {
      number: 1,
      coordinatorId: 'c1',
      signal: new AbortController().signal,
      holdsFor: () => true,
      remainingMs: () => 10_000,
      commit: async (write): Promise<CommitOutcome> => {
        this.writes.push(write);
        return { kind: 'committed', revision: 1 };
      },
      remove: async () => ({ kind: 'committed', revision: 1 }),
    };
  }

  /** A cloud that shows every instance it is asked for: stopped, and retired by its recovery. */
  get cloud(): Cloud {
    const instance = (instanceId: string) =>
      ({ instanceId, state: 'stopped', tags: { [TAG.retiredBy]: instanceId.slice('i-old-'.length) } }) as unknown;
    const describeInstances = async (filters: CloudFilters) =>
      (filters['instance-id'] ?? []).map((id) => instance(id) as CloudInstance);
    const nothing = async () => [];
    return new Proxy({} as Cloud, {
      get: (_, name) => (name === 'describeInstances' ? describeInstances : nothing),
    });
  }

  collect(options: { historyKept?: number; flapLimitOf?: () => number } = {}) {
    const { clock, cloud } = this;
    const kv = this.kv.client('c1');
    const collector = new Collector({ cloud, kv, keys: KEYS, clock, log: silentLog, ...options });
    return this.clock.runUntilSettled(collector.collect(this.term), 60_000);
  }
}

test('a retired instance stays on the books until it is seen gone, however many there are', async () => {
  const scene = new Scene();
  const future = scene.clock.wallMs() + 1_000_000;
  scene.put(Array.from({ length: 450 }, (_, i) => ended(`db/m${i}`, `op-${i}`, i, future)));
  const report = await scene.collect();
  expect(report.removed).toEqual([]);
  expect(scene.writes).toEqual([]);
});

test('history is trimmed to what is kept, but the guard still finds as many as it counts', async () => {
  const five = [1, 2, 3, 4, 5].map((i) => ended('db/one', `op-${i}`, i, null));
  const plain = new Scene();
  plain.put(five);
  expect((await plain.collect({ historyKept: 2 })).trimmed).toBe(3);
  const flapping = new Scene();
  flapping.put(five);
  expect((await flapping.collect({ historyKept: 2, flapLimitOf: () => 4 })).trimmed).toBe(1);
});
