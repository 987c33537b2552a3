import { keyspace, OperationError, type StoreAlarm } from '@understudy/shared';
import { RecordingLog, SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { WatchedStore } from './watched-store.ts';
import { explainingAreas, WriteProof, writtenKeys } from './write-proof.ts';

const keys = keyspace();

function scene() {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const client = kv.client('c1');
  const log = new RecordingLog();
  const store = new WatchedStore({ store: client, clock, root: keys.root });
  const proof = new WriteProof({ store, keys, clock, log });
  const asked: number[] = [];
  const etcd: { alarms: readonly StoreAlarm[] | null | OperationError } = { alarms: [] };
  client.alarms = () => {
    asked.push(clock.monotonicMs());
    return etcd.alarms instanceof OperationError ? Promise.reject(etcd.alarms) : Promise.resolve(etcd.alarms);
  };
  return { clock, kv, client, log, store, proof, asked, etcd };
}

describe('alarms of etcd', () => {
  it('are asked for each minute while all is well', async () => {
    const { clock, proof, asked } = scene();
    proof.start();
    await clock.advance(299_000);
    expect(asked).toEqual([0, 60_000, 120_000, 180_000, 240_000]);
    expect([proof.alarms, proof.problems(), proof.trouble()]).toEqual([[], [], null]);
    await proof.close();
  });

  it('are a problem before any write was refused, and are asked for each 5 s until they are gone', async () => {
    const { clock, proof, asked, etcd } = scene();
    etcd.alarms = ['NOSPACE'];
    proof.start();
    await clock.advance(11_000);
    expect(asked).toEqual([0, 5_000, 10_000]);
    expect(proof.alarms).toEqual(['NOSPACE']);
    expect(proof.problems().map(({ code, text }) => [code, text])).toEqual([
      ['STORE_NO_SPACE', 'alarm NOSPACE is raised'],
    ]);
    expect(proof.trouble()).toBe('etcd does not take writes: STORE_NO_SPACE: alarm NOSPACE is raised');
    etcd.alarms = [];
    await clock.advance(5_000);
    expect(proof.problems()).toEqual([]);
    await proof.close();
  });

  it('are asked for each 5 s, too, while anything is refused', async () => {
    const { clock, client, proof, asked } = scene();
    const txn = client.txn.bind(client);
    client.txn = () => Promise.reject(new OperationError('STORE_DENIED', 'permission denied'));
    proof.start();
    await clock.advance(11_000);
    expect(asked).toEqual([0, 5_000, 10_000]);
    client.txn = txn;
    await proof.close();
  });

  it('say no more than the refusals that come of them', async () => {
    const { clock, kv, proof, etcd } = scene();
    kv.refusesWrites = 'STORE_NO_SPACE';
    etcd.alarms = ['NOSPACE'];
    proof.start();
    await clock.advance(60_000);
    expect(proof.problems().map(({ code, text }) => [code, text])).toEqual([
      ['STORE_NO_SPACE', 'STORE_NO_SPACE: the simulated etcd refuses writes'],
    ]);
    await proof.close();
  });

  it('that we may not ask for are none, and the last known stand while etcd does not answer', async () => {
    const { clock, proof, etcd } = scene();
    etcd.alarms = null;
    proof.start();
    await clock.advance(1_000);
    expect(proof.alarms).toEqual([]);
    await clock.advance(60_000);
    etcd.alarms = ['CORRUPT'];
    await clock.advance(60_000);
    etcd.alarms = new OperationError('STORE_UNAVAILABLE', 'away');
    await clock.advance(60_000);
    expect(proof.alarms).toEqual(['CORRUPT']);
    await proof.close();
  });
});

describe('problems of writing', () => {
  it('name sixteen refused areas, and how many more there are', async () => {
    const { clock, client, proof } = scene();
    client.txn = () => Promise.reject(new OperationError('STORE_DENIED', 'permission denied'));
    proof.start();
    await clock.advance(1_000);
    const [problem] = proof.problems();
    const parts = problem?.text.split('; ') ?? [];
    const count = writtenKeys(keys).length - explainingAreas(keys).length;
    expect([parts.length, parts.at(-1)]).toEqual([17, `and ${count - 16} more`]);
    expect(new Set(parts.slice(0, 16)).size).toBe(16);
    await proof.close();
  });

  it('name sixteen as they are', async () => {
    const { clock, client, proof } = scene();
    const denied = writtenKeys(keys).slice(0, 16);
    const txn = client.txn.bind(client);
    client.txn = (one) =>
      one.writes.some((write) => write.kind === 'put' && denied.includes(write.key))
        ? Promise.reject(new OperationError('STORE_DENIED', 'permission denied'))
        : txn(one);
    proof.start();
    await clock.advance(1_000);
    expect(proof.problems()[0]?.text.split('; ')).toHaveLength(16);
    await proof.close();
  });

  it('are no trouble where etcd took one call for malformed: nothing says that others are', async () => {
    const { client, store, proof } = scene();
    client.txn = () => Promise.reject(new OperationError('STORE_REJECTED', 'too many operations'));
    const put = { kind: 'put', key: keys.judge, value: '1' } as const;
    await expect(store.txn({ compare: [], writes: [put] })).rejects.toThrow();
    expect(proof.problems().map(({ code }) => code)).toEqual(['STORE_REJECTED']);
    expect(proof.trouble()).toBeNull();
  });

  it('are none before it was begun, and none for want of writes then', async () => {
    const { clock, proof } = scene();
    await clock.advance(120_000);
    expect([proof.problems(), proof.alarms]).toEqual([[], []]);
  });

  it('leave nothing scheduled after the end', async () => {
    const { clock, proof } = scene();
    proof.start();
    await clock.advance(1_000);
    await proof.close();
    expect(clock.pendingCount).toBe(0);
  });
});
