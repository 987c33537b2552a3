import { describe, expect, it } from 'vitest';
import { LeadershipRig } from '../leadership/leadership.fixtures.ts';
import { WatchCache, type WatchCacheOptions } from './watch-cache.ts';

function viewed(overrides: Partial<WatchCacheOptions> = {}) {
  const rig = new LeadershipRig();
  const process = rig.process('v1');
  const view = new WatchCache({ ...process.deps, prefix: '/v/', ...overrides });
  const changes: string[][] = [];
  view.onChange((keys) => changes.push([...keys].sort()));
  const put = (key: string, value: string) => rig.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
  const remove = (key: string) => rig.kv.apply({ compare: [], writes: [{ kind: 'delete', key }] });
  const content = () => [...view.entries().values()].map((entry) => `${entry.key}=${entry.value}`).sort();
  const stored = () => rig.kv.entries('/v/').map((entry) => `${entry.key}=${entry.value}`);
  return { rig, process, view, changes, put, remove, content, stored };
}

describe('PrefixView', () => {
  it('lists, then follows; other prefixes do not show', async () => {
    const { rig, view, changes, put, remove, content } = viewed();
    put('/v/a', '1');
    put('/w/a', '1');
    view.start();
    expect(view.isReady).toBe(false);
    await rig.clock.advance(10);
    expect(view.isReady).toBe(true);
    put('/v/b', '2');
    put('/w/b', '2');
    remove('/v/a');
    await rig.clock.advance(10);
    expect(content()).toEqual(['/v/b=2']);
    expect(changes).toEqual([['/v/a'], ['/v/b'], ['/v/a']]);
  });

  it('waits for etcd and is ready when it comes', async () => {
    const { rig, process, view, put } = viewed();
    put('/v/a', '1');
    process.store.cut();
    view.start();
    await rig.clock.advance(20_000);
    expect(view.isReady).toBe(false);
    expect(view.ageMs()).toBe(Number.POSITIVE_INFINITY);
    process.store.heal();
    await rig.clock.runUntilSettled(view.ready());
    expect(view.get('/v/a')?.value).toBe('1');
  });

  it('compaction while it was cut off: listed again, and what vanished is told', async () => {
    const { rig, process, view, changes, put, remove, content, stored } = viewed();
    put('/v/a', '1');
    put('/v/b', '1');
    view.start();
    await rig.clock.advance(10);
    process.store.cut();
    remove('/v/a');
    put('/v/b', '2');
    put('/v/c', '1');
    rig.kv.compact();
    changes.length = 0;
    await rig.clock.advance(3000);
    expect(content()).toEqual(['/v/a=1', '/v/b=1']);
    process.store.heal();
    await rig.clock.advance(10_000);
    expect(content()).toEqual(stored());
    expect(changes).toEqual([['/v/a', '/v/b', '/v/c']]);
    expect(process.store.fired.watchSilence).toBeGreaterThan(0);
    expect(view.anomalies).toBe(0);
  });

  it('is proven fresh every second or so, and ages while it is cut off, whatever the watch says', async () => {
    const { rig, process, view } = viewed();
    view.start();
    await rig.clock.advance(20_000);
    expect(view.ageMs()).toBeLessThan(2500);
    process.store.cut();
    await rig.clock.advance(10_000);
    expect(view.ageMs()).toBeGreaterThan(9900);
  });

  it('a watch that says nothing new proves nothing: only a read that reached the quorum does', async () => {
    const { rig, process, view } = viewed();
    view.start();
    await rig.clock.advance(1000);
    // The member still answers the watch but has lost its quorum, so linearizable reads fail.
    process.store.inject({ kind: 'dropRequest', operation: 'range', times: 1000 });
    await rig.clock.advance(10_000);
    expect(process.store.fired.dropRequest).toBeGreaterThan(2);
    expect(view.ageMs()).toBeGreaterThan(9000);
  });

  it('while other prefixes are busy the view stays fresh through progress alone', async () => {
    const { rig, view, put } = viewed();
    view.start();
    for (let round = 0; round < 100; round += 1) {
      put('/w/busy', String(round));
      await rig.clock.advance(100);
    }
    expect(view.ageMs()).toBeLessThan(3500);
  });

  it('random changes, breaks, cuts and compactions: the same as the store in the end, no anomaly', async () => {
    const { rig, process, view, put, remove, content, stored } = viewed({ relistEveryMs: 5000 });
    const told = new Map<string, string | undefined>();
    view.onChange((keys) => {
      for (const key of keys) told.set(key, view.get(key)?.value);
    });
    view.start();
    const { random } = process.deps;
    for (let round = 0; round < 2000; round += 1) {
      const key = `/v/${Math.floor(random.next() * 20)}`;
      const dice = random.next();
      if (dice < 0.6) put(key, String(round));
      else if (dice < 0.9) remove(key);
      else if (dice < 0.93) process.store.breakWatches();
      else if (dice < 0.94) process.store.cut();
      else if (dice < 0.97) process.store.heal();
      else if (dice < 0.98) rig.kv.compact();
      await rig.clock.advance(random.next() * 400);
    }
    process.store.heal();
    await rig.clock.advance(20_000);
    expect(content()).toEqual(stored());
    const fromTelling = [...told].flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])).sort();
    expect(fromTelling).toEqual(stored());
    expect(view.anomalies).toBe(0);
    expect(process.store.fired.watchBreak).toBeGreaterThan(20);
    expect(process.store.fired.watchSilence).toBeGreaterThan(5);
    view.close();
  });

  it('an event that etcd lost is found by the periodic list, counted and repaired', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('v1');
    const lossy: typeof process.store = Object.create(process.store);
    let dropped = 0;
    lossy.watch = (prefix, from, handlers) =>
      process.store.watch(prefix, from, {
        ...handlers,
        onCompacted: () => handlers.onCompacted(),
        onProgress: (revision) => handlers.onProgress?.(revision),
        onEvents: (events, revision) => {
          if (dropped === 0) dropped += 1;
          else handlers.onEvents(events, revision);
        },
      });
    lossy.range = (prefix) => process.store.range(prefix);
    const view = new WatchCache({ ...process.deps, store: lossy, prefix: '/v/', relistEveryMs: 10_000 });
    view.start();
    await rig.clock.advance(100);
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/v/a', value: '1' }] });
    await rig.clock.advance(1000);
    expect(dropped).toBe(1);
    expect(view.get('/v/a')).toBeUndefined();
    await rig.clock.advance(12_000);
    expect(view.get('/v/a')?.value).toBe('1');
    expect(view.anomalies).toBe(1);
    expect(process.log.events()).toContain('store.view.anomaly');
  });

  it('an event lost in the witnessed part is noticed by the next probe, and nothing is proven before the list', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('v1');
    const lossy: typeof process.store = Object.create(process.store);
    let dropped = 0;
    lossy.watch = (prefix, from, handlers) =>
      process.store.watch(prefix, from, {
        ...handlers,
        onEvents: (events, revision) => {
          const kept = events.filter(({ kind }) => kind !== 'put' || dropped > 0);
          dropped += events.length - kept.length;
          handlers.onEvents(kept, revision);
        },
      });
    lossy.range = (prefix) => process.store.range(prefix);
    const view = new WatchCache({ ...process.deps, store: lossy, prefix: '/v/', witnessPrefix: '/v/w/' });
    view.start();
    await rig.clock.advance(100);
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/v/w/a', value: '1' }] });
    const writtenAtMs = rig.clock.monotonicMs();
    for (let ms = 0; ms < 3_000; ms += 20) {
      await rig.clock.advance(20);
      if ((view.freshAtMs ?? 0) > writtenAtMs) expect(view.get('/v/w/a')?.value).toBe('1');
    }
    expect(dropped).toBe(1);
    expect(view.freshAtMs).toBeGreaterThan(writtenAtMs);
    expect([view.anomalies, view.stalls]).toEqual([1, 0]);
  });

  it('is as old as the slower of two clocks says: a suspended machine has not aged by the monotonic one', async () => {
    const { rig, view } = viewed({ probeEveryMs: 0 });
    view.start();
    await rig.clock.advance(500);
    expect(view.ageMs()).toBeLessThanOrEqual(500);
    rig.clock.stepWall(3_600_000);
    expect(view.ageMs()).toBeGreaterThanOrEqual(3_600_000);
    rig.clock.stepWall(-7_200_000);
    expect(view.ageMs()).toBeLessThanOrEqual(500);
  });

  it('a watch that is alive but stuck is noticed by the probe and started again', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('v1');
    const stuck: typeof process.store = Object.create(process.store);
    let watches = 0;
    stuck.watch = (prefix, from, handlers) => {
      watches += 1;
      if (watches > 1) return process.store.watch(prefix, from, handlers);
      return { cancel: () => undefined };
    };
    stuck.range = (prefix) => process.store.range(prefix);
    const view = new WatchCache({ ...process.deps, store: stuck, prefix: '/v/' });
    view.start();
    await rig.clock.advance(100);
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/v/a', value: '1' }] });
    await rig.clock.advance(14_000);
    expect(watches).toBe(2);
    expect(view.get('/v/a')?.value).toBe('1');
    expect([view.stalls, view.anomalies]).toEqual([1, 0]);
  });

  it('after close nobody is called and nothing is scheduled', async () => {
    const { rig, view, changes, put } = viewed();
    view.start();
    await rig.clock.advance(10);
    view.close();
    view.close();
    put('/v/a', '1');
    await rig.clock.advance(1000);
    expect(changes).toEqual([]);
    expect(rig.clock.pendingCount).toBe(0);
  });
});
