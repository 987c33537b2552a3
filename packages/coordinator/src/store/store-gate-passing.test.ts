import { keyspace, OperationError } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { StoreGate } from './store-gate.ts';

function scene(allowUnsafeVersion?: string) {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const client = kv.client('c1');
  const log = new RecordingLog();
  const etcd: { versions: readonly string[] | Error } = { versions: ['3.5.30'] };
  let asked = 0;
  client.serverVersions = () => {
    asked += 1;
    return etcd.versions instanceof Error ? Promise.reject(etcd.versions) : Promise.resolve(etcd.versions);
  };
  const parts = { clock, log, random: new SeededRandom(1), keys: keyspace(), allowUnsafeVersion };
  const gate = new StoreGate({ ...parts, store: client });
  return { clock, kv, client, log, etcd, gate, asked: () => asked };
}
const AWAY = new OperationError('STORE_UNAVAILABLE', 'connection refused');

describe('the gate of the store', () => {
  it('is passed when etcd answers with safe versions, which is told once', async () => {
    const { clock, log, gate } = scene();
    expect(gate.problem?.code).toBe('STORE_UNAVAILABLE');
    expect(await clock.runUntilSettled(gate.passed())).toBe(true);
    expect(gate.problem).toBeNull();
    const watching = gate.watch();
    await clock.advance(1_300_000);
    expect(log.linesOf('store.reached')).toHaveLength(1);
    expect(log.events()).not.toContain('store.unsafe_version');
    gate.close();
    await watching;
  });

  it('waits for etcd: ever more slowly, from half a second to ten, and tells when it is over', async () => {
    const { clock, etcd, gate, asked, log } = scene();
    etcd.versions = AWAY;
    const passed = gate.passed();
    await clock.advance(4_000);
    expect(asked()).toBeGreaterThanOrEqual(4);
    await clock.advance(596_000);
    expect(asked()).toBeGreaterThan(60);
    expect(asked()).toBeLessThan(110);
    expect(gate.problem?.text).toContain('connection refused');
    etcd.versions = ['3.5.30'];
    await clock.advance(10_000);
    expect(await passed).toBe(true);
    expect(log.events()).toContain('store.unreachable.over');
  });

  it('is not passed when it is closed before', async () => {
    const { clock, etcd, gate } = scene();
    etcd.versions = AWAY;
    const passed = gate.passed();
    await clock.advance(1_000);
    gate.close();
    expect(await clock.runUntilSettled(passed)).toBe(false);
  });

  it('is shut for good by a version that is too old, at the start and ten minutes later', async () => {
    const { clock, etcd, gate } = scene();
    etcd.versions = ['3.4.1'];
    await expect(clock.runUntilSettled(gate.passed())).rejects.toMatchObject({ code: 'STORE_TOO_OLD' });
    etcd.versions = ['3.5.30'];
    await clock.runUntilSettled(gate.passed());
    const watching = gate.watch().catch((error: unknown) => error);
    await clock.advance(300_000);
    etcd.versions = ['3.5.30', '3.4.1'];
    expect(await clock.runUntilSettled(watching)).toMatchObject({ code: 'STORE_TOO_OLD' });
    expect(clock.monotonicMs()).toBe(600_000);
  });

  it('does not hide a defect of ours behind its waiting', async () => {
    const { clock, etcd, gate } = scene();
    etcd.versions = new TypeError('ours');
    await expect(clock.runUntilSettled(gate.passed())).rejects.toThrow('ours');
  });

  it('stays open while etcd is away later', async () => {
    const { clock, etcd, gate, log } = scene();
    await clock.runUntilSettled(gate.passed());
    const watching = gate.watch();
    etcd.versions = AWAY;
    await clock.advance(601_000);
    expect(log.events()).toContain('store.unreachable');
    expect(gate.problem).toBeNull();
    gate.close();
    await watching;
  });

  it('asks no more once it is closed', async () => {
    const { clock, gate, asked } = scene();
    const watching = gate.watch();
    await clock.advance(1_000);
    gate.close();
    await watching;
    expect(asked()).toBe(0);
  });

  it('warns of a version that is unsafe and allowed by its operator, with the reason', async () => {
    const { clock, etcd, gate, log } = scene('staging');
    etcd.versions = ['3.4.1'];
    expect(await clock.runUntilSettled(gate.passed())).toBe(true);
    expect(log.linesOf('store.unsafe_version')).toMatchObject([{ level: 'warn', fields: { why: 'staging' } }]);
  });

  it('takes no blank for a reason', async () => {
    const { clock, etcd, gate } = scene('  ');
    etcd.versions = new OperationError('STORE_VERSION_UNKNOWN', 'not told');
    const passed = gate.passed();
    await clock.advance(5_000);
    expect(gate.problem?.code).toBe('STORE_VERSION_UNKNOWN');
    gate.close();
    expect(await clock.runUntilSettled(passed)).toBe(false);
  });
});

describe('the history of etcd', () => {
  async function remarksAt(revision: number) {
    const { clock, client, gate, log } = scene();
    client.range = () => Promise.resolve({ revision, entries: [] });
    // As in etcd, revision 0 stands for the present one, which the store always has.
    client.remembers = () => Promise.resolve(true);
    const watching = gate.watch();
    await clock.advance(1_900_000);
    const remarks = gate.remarks.map(({ code }) => code);
    gate.close();
    await watching;
    return { remarks, said: log.linesOf('store.not_compacted').length };
  }

  it('is remarked on from the revision after the 100 000th, and logged once', async () => {
    expect(await remarksAt(100_000)).toEqual({ remarks: [], said: 0 });
    expect(await remarksAt(100_001)).toEqual({ remarks: ['STORE_NOT_COMPACTED'], said: 1 });
  });

  it('that cannot be read is no remark, and the gate goes on', async () => {
    const { clock, client, gate, asked } = scene();
    client.range = () => Promise.reject(AWAY);
    const watching = gate.watch();
    await clock.advance(601_000);
    expect([gate.remarks, asked()]).toEqual([[], 1]);
    gate.close();
    await watching;
  });
});
