import { describe, expect, it } from 'vitest';
import { hasCode } from '../errors.ts';
import type { KvEvent } from '../ports/kv-store.ts';
import { type KvContractEnv, KV_STORE_CONTRACT } from './kv-store-contract.ts';
import { PausableClock } from './pausable-clock.ts';
import { SimClock } from './sim-clock.ts';
import { SimKv } from './sim-kv.ts';

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'ok',
    (error: unknown) =>
      hasCode(error, 'STORE_OUTCOME_UNKNOWN') ? 'unknown' : hasCode(error, 'STORE_UNAVAILABLE') ? 'unavailable' : error,
  );

const putA = (value: string) => ({ compare: [], writes: [{ kind: 'put', key: 'a', value } as const] });

describe('SimKv keeps the KvStore contract', () => {
  for (const latencyMs of [0, 3]) {
    for (const { name, run } of KV_STORE_CONTRACT) {
      it(`${name} (latency ${latencyMs} ms)`, async () => {
        const clock = new SimClock();
        const kv = new SimKv({ clock });
        const env: KvContractEnv = {
          store: kv.client('one', { latencyMs }),
          other: kv.client('two', { latencyMs }),
          prefix: '/t/',
          pass: (durationMs) => clock.sleep(durationMs),
          until: async (condition, what) => {
            for (let waitedMs = 0; !condition(); waitedMs += 10) {
              if (waitedMs > 10_000) throw new Error(`timed out: ${what}`);
              await clock.sleep(10);
            }
          },
          compact: (revision) => Promise.resolve(kv.compact(revision)),
        };
        await clock.runUntilSettled(run(env), 60_000);
      });
    }
  }
});

describe('SimKv faults', () => {
  const setUp = () => {
    const clock = new SimClock();
    const kv = new SimKv({ clock });
    return { clock, kv, client: kv.client('c1') };
  };

  it('loseReply: the write is applied and the caller does not know', async () => {
    const { clock, kv, client } = setUp();
    client.inject({ kind: 'loseReply', operation: 'txn' });
    expect(await clock.runUntilSettled(codeOf(client.txn(putA('1'))))).toBe('unknown');
    expect(kv.entries('a')).toHaveLength(1);
    expect(client.fired.loseReply).toBe(1);
  });

  it('dropRequest: nothing is applied and the caller does not know; reads are merely unavailable', async () => {
    const { clock, kv, client } = setUp();
    client.inject({ kind: 'dropRequest', times: 2 });
    expect(await clock.runUntilSettled(codeOf(client.txn(putA('1'))))).toBe('unknown');
    expect(await clock.runUntilSettled(codeOf(client.get('a')))).toBe('unavailable');
    expect(kv.entries('a')).toHaveLength(0);
    expect(client.fired.dropRequest).toBe(2);
  });

  it('refuse: certain at once', async () => {
    const { client, kv } = setUp();
    client.inject({ kind: 'refuse' });
    expect(await codeOf(client.txn(putA('1')))).toBe('unavailable');
    expect(kv.entries('a')).toHaveLength(0);
  });

  it('landLate: applied long after the caller gave up', async () => {
    const { clock, kv, client } = setUp();
    client.inject({ kind: 'landLate', delayMs: 4000 });
    expect(await clock.runUntilSettled(codeOf(client.txn(putA('1'))))).toBe('unknown');
    expect(kv.entries('a')).toHaveLength(0);
    await clock.advance(2600);
    expect(kv.entries('a')).toHaveLength(1);
    expect(client.fired.landLate).toBe(1);
  });

  it('a cut is silent, one-way if asked, and heals', async () => {
    const { clock, kv, client } = setUp();
    client.cut('replies');
    expect(await clock.runUntilSettled(codeOf(client.txn(putA('1'))))).toBe('unknown');
    client.cut('requests');
    expect(await clock.runUntilSettled(codeOf(client.txn(putA('2'))))).toBe('unknown');
    client.heal();
    expect((await client.get('a'))?.value).toBe('1');
    expect([client.fired.cutReply, client.fired.cutRequest, kv.entries().length]).toEqual([1, 1, 1]);
  });

  it('a watch that was cut or broken resumes without loss or repetition', async () => {
    const { clock, kv, client } = setUp();
    const seen: KvEvent[] = [];
    let disconnected = 0;
    client.watch('', 2, {
      onEvents: (events) => seen.push(...events),
      onCompacted: () => undefined,
      onDisconnected: () => (disconnected += 1),
    });
    for (let round = 0; round < 50; round += 1) {
      kv.apply(putA(String(round)));
      if (round % 7 === 3) client.breakWatches();
      if (round === 20) client.cut();
      if (round === 40) client.heal();
      await clock.advance(round % 5 === 0 ? 500 : 1);
    }
    await clock.advance(10_000);
    expect(seen.map((event) => (event.kind === 'put' ? event.entry.value : '-'))).toEqual(
      Array.from({ length: 50 }, (_, round) => String(round)),
    );
    expect(disconnected).toBeGreaterThan(5);
    expect(client.fired.watchBreak).toBeGreaterThan(5);
    expect(client.fired.watchSilence).toBeGreaterThan(0);
  });

  it('a paused process gets its answer after it resumes; the store went on without it', async () => {
    const { clock, kv } = setUp();
    const own = new PausableClock(clock);
    const client = kv.client('paused', { clock: own, latencyMs: 1 });
    const { leaseId } = await clock.runUntilSettled(client.grantLease(2000));
    let answer: unknown = 'none yet';
    const keeping = client.keepAlive(leaseId).then((reply) => (answer = reply));
    own.pause();
    await clock.advance(5000);
    expect(answer).toBe('none yet');
    expect(kv.leaseIds()).toHaveLength(0);
    own.resume();
    await keeping;
    expect(answer).toEqual({ ttlMs: 2000 });
    expect(own.heldBackCount).toBeGreaterThan(0);
  });

  it('a lease ends early when the server clock runs fast', async () => {
    const clock = new SimClock();
    const kv = new SimKv({ clock, leaseClockRate: 1.01 });
    kv.grant(10_000);
    await clock.advance(9901);
    expect(kv.leaseIds()).toHaveLength(0);
  });
});
