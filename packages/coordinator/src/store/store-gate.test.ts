import { keyspace, OperationError } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { StoreGate } from './store-gate.ts';

function scene() {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const log = new RecordingLog();
  const parts = { clock, log, random: new SeededRandom(1), keys: keyspace(), allowUnsafeVersion: undefined };
  const gate = new StoreGate({ ...parts, store: kv.client('c1') });
  const write = (times: number) => {
    for (let i = 0; i < times; i++)
      kv.apply({ compare: [], writes: [{ kind: 'put', key: '/elsewhere', value: `${i}` }] });
  };
  return { clock, kv, log, gate, write };
}

describe('an etcd that nobody compacts', () => {
  it('is remarked on once it keeps 100 000 old revisions, and no longer when somebody compacts it', async () => {
    const { clock, kv, log, gate, write } = scene();
    const watching = gate.watch();
    await clock.advance(1_000);
    expect(gate.remarks).toEqual([]);
    write(100_001);
    await clock.advance(600_000);
    expect(gate.remarks.map((one) => one.code)).toEqual(['STORE_NOT_COMPACTED']);
    expect(gate.remarks[0]?.text).toContain('--auto-compaction-retention');
    await clock.advance(600_000);
    expect(log.lines.filter((line) => line.event === 'store.not_compacted')).toHaveLength(1);
    kv.compact();
    await clock.advance(600_000);
    expect(gate.remarks).toEqual([]);
    gate.close();
    await watching;
  });

  it('says nothing about one that is compacted, however far its revision has come', async () => {
    const { clock, kv, gate, write } = scene();
    write(100_001);
    kv.compact();
    const watching = gate.watch();
    await clock.advance(1_000);
    expect(gate.remarks).toEqual([]);
    gate.close();
    await watching;
  });
});

describe('an etcd that answers and does not tell its version', () => {
  const untold = (allowUnsafeVersion: string | undefined) => {
    const clock = new SimClock();
    const log = new RecordingLog();
    const client = new SimKv({ clock }).client('c1');
    client.serverVersions = () =>
      Promise.reject(new OperationError('STORE_VERSION_UNKNOWN', 'http://e1: GET /version answered 200 without it'));
    const parts = { clock, log, random: new SeededRandom(1), keys: keyspace(), allowUnsafeVersion };
    return { clock, log, client, gate: new StoreGate({ ...parts, store: client }) };
  };

  it('is not passed: a problem with its remedy, said again each minute, until it tells', async () => {
    const { clock, log, client, gate } = untold(undefined);
    const passed = gate.passed();
    await clock.advance(150_000);
    expect(gate.problem).toMatchObject({
      code: 'STORE_VERSION_UNKNOWN',
      text: expect.stringContaining('http://e1'),
      remedy: expect.stringContaining('allowUnsafeVersion'),
    });
    expect(log.lines.filter((line) => line.event === 'store.unreachable')).toHaveLength(3);
    client.serverVersions = () => Promise.resolve(['3.5.30']);
    await clock.advance(10_000);
    expect(await passed).toBe(true);
    expect(gate.problem).toBeNull();
  });

  it('is passed with the reason of an operator, who is told', async () => {
    const { clock, log, gate } = untold('a port for gRPC only, 3.5.30 by its operator');
    expect(await clock.runUntilSettled(gate.passed())).toBe(true);
    expect(log.events()).toContain('store.unknown_version');
  });
});
