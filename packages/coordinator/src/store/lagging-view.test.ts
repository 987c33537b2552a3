import type { KvRange } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { LeadershipRig } from '../leadership/leadership.fixtures.ts';
import { WatchCache, type WatchCacheOptions } from './watch-cache.ts';

/** A view whose watch lags by `watchLatencyMs`, and the time of each write under its prefix. */
function lagging(watchLatencyMs: number, overrides: Partial<WatchCacheOptions> = {}) {
  const rig = new LeadershipRig();
  const { deps, log } = rig.process('v1');
  const store = rig.kv.client('lagging', { clock: rig.clock, latencyMs: 1, watchLatencyMs });
  const view = new WatchCache({ ...deps, clock: rig.clock, store, prefix: '/v/', ...overrides });
  const written: { readonly atMs: number; readonly revision: number }[] = [];
  const put = (key: string, value: string) => {
    const { revision } = rig.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
    written.push({ atMs: rig.clock.monotonicMs(), revision });
  };
  /** The view holds what had been written by the moment it claims to be from. */
  const isHonest = () => {
    const freshAtMs = view.freshAtMs ?? -1;
    return written.every(({ atMs, revision }) => atMs > freshAtMs || revision <= view.revision);
  };
  return { rig, log, store, view, put, isHonest };
}

describe('a view whose watch lags behind', () => {
  it('is proven all the same, by what it reaches later, and never claims to be newer than it is', async () => {
    const { rig, view, put, isHonest } = lagging(500);
    view.start();
    let oldestMs = 0;
    for (let round = 0; round < 600; round += 1) {
      put(`/v/${round % 7}`, String(round));
      await rig.clock.advance(50);
      expect(isHonest()).toBe(true);
      if (round > 60) oldestMs = Math.max(oldestMs, view.ageMs());
    }
    expect(oldestMs).toBeGreaterThan(500);
    expect(oldestMs).toBeLessThan(2_000);
    await rig.clock.advance(30_000);
    expect([view.stalls, view.anomalies]).toEqual([0, 0]);
  });

  it('is compared with a list once it has caught up with it, and finds nothing wrong', async () => {
    const { rig, view, put, isHonest, log } = lagging(3_000, { relistEveryMs: 2_000 });
    view.start();
    for (let round = 0; round < 600; round += 1) {
      put(`/v/${round % 7}`, String(round));
      await rig.clock.advance(100);
      expect(isHonest()).toBe(true);
    }
    expect([view.stalls, view.anomalies, log.events()]).toEqual([0, 0, []]);
    view.close();
    await rig.clock.advance(3_000);
    expect(rig.clock.pendingCount).toBe(0);
  });

  it('is started again when it does not catch up with a list', async () => {
    const { rig, view, put, store } = lagging(1, { probeEveryMs: 0, relistEveryMs: 5_000, lagLimitMs: 2_000 });
    const watch = store.watch.bind(store);
    let watches = 0;
    store.watch = (...args) => {
      watches += 1;
      return watches > 1 ? watch(...args) : { cancel: () => undefined };
    };
    view.start();
    await rig.clock.advance(100);
    put('/v/a', '1');
    await rig.clock.advance(8_000);
    expect(view.get('/v/a')?.value).toBe('1');
    expect([watches, view.stalls, view.anomalies]).toEqual([2, 1, 0]);
    view.close();
    await rig.clock.advance(10);
    expect(rig.clock.pendingCount).toBe(0);
  });

  it('can be closed while it waits to catch up', async () => {
    const { rig, view, put } = lagging(3_000, { probeEveryMs: 0, relistEveryMs: 2_000 });
    view.start();
    await rig.clock.advance(1_000);
    put('/v/a', '1');
    await rig.clock.advance(2_000);
    view.close();
    await rig.clock.advance(3_000);
    expect([rig.clock.pendingCount, view.anomalies, view.stalls]).toEqual([0, 0, 0]);
  });
});

describe('a view', () => {
  it('that is not busy is proven with every probe, by its answer', async () => {
    const { rig, view } = lagging(1);
    view.start();
    await rig.clock.advance(2_000);
    for (let round = 0; round < 200; round += 1) {
      await rig.clock.advance(100);
      expect(view.ageMs()).toBeLessThan(1_210);
    }
  });

  it('that lists again is not proven by anything before that list', async () => {
    const { rig, view, put, store } = lagging(1);
    view.start();
    await rig.clock.advance(1_000);
    const range = store.range.bind(store);
    const answers: (() => void)[] = [];
    store.range = (prefix) =>
      prefix === '/v/'
        ? new Promise<KvRange>((resolve) => answers.push(() => void range(prefix).then(resolve)))
        : range(prefix);
    store.cut();
    put('/v/a', '0');
    put('/v/a', '1');
    rig.kv.compact();
    await rig.clock.advance(1);
    store.heal();
    await rig.clock.advance(7_000);
    expect(answers).toHaveLength(1);
    const freshAtMs = view.freshAtMs;
    await rig.clock.advance(5_000);
    expect(view.freshAtMs).toBe(freshAtMs);
    answers[0]?.();
    await rig.clock.advance(5);
    expect([view.get('/v/a')?.value, view.freshAtMs !== freshAtMs]).toEqual(['1', true]);
  });

  it('that lists again tells only of what has changed', async () => {
    const { rig, view, put, store } = lagging(1);
    put('/v/a', '1');
    put('/v/b', '1');
    view.start();
    await rig.clock.advance(10);
    const told: string[] = [];
    const unsubscribe = view.onChange((changed) => told.push(...changed));
    store.cut();
    put('/v/b', '1b');
    put('/v/b', '2');
    rig.kv.compact();
    await rig.clock.advance(1_000);
    store.heal();
    await rig.clock.advance(10_000);
    expect(told).toEqual(['/v/b']);
    unsubscribe();
    put('/v/a', '2');
    await rig.clock.advance(10);
    expect([told, view.get('/v/a')?.value]).toEqual([['/v/b'], '2']);
  });

  it('asks for its first list ever more slowly, up to a second apart, and tells the failure and its end', async () => {
    const { rig, view, store, log } = lagging(1, { random: new SeededRandom(3) });
    store.inject({ kind: 'refuse', operation: 'range', times: 100_000 });
    view.start();
    await rig.clock.advance(30_000);
    expect(store.fired.refuse).toBeGreaterThan(28);
    expect(store.fired.refuse).toBeLessThan(70);
    expect(log.linesOf('store.view.list.failed')[0]?.fields).toMatchObject({ prefix: '/v/' });
    store.heal();
    await rig.clock.advance(2_000);
    expect([view.isReady, log.events().includes('store.view.list.failed.over')]).toEqual([true, true]);
  });

  it('is started once, however often it is told to', async () => {
    const { rig, view, store } = lagging(1);
    view.start();
    view.start();
    await rig.clock.advance(20_000);
    expect(store.applied.range).toBeLessThan(25);
  });

  it('that is closed before its first list is never ready, and follows nothing', async () => {
    const { rig, view, put, store } = lagging(1);
    store.slowTo(100);
    const told: (readonly string[])[] = [];
    view.onChange((changed) => told.push(changed));
    put('/v/a', '1');
    const ready = view.ready().catch((error: unknown) => String(error));
    view.start();
    await rig.clock.advance(50);
    view.close();
    await rig.clock.advance(1_000);
    expect([await ready, told, view.isReady, rig.clock.pendingCount]).toEqual(['Error: view closed', [], false, 0]);
  });
});
