import { RecordingLog, SeededRandom, SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { WatchCache } from './watch-cache.ts';

/** A view over a slow connection, and the moments at which each of its reads was asked. */
async function slowView(latencyMs: number) {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const store = kv.client('c1', { latencyMs });
  const askedAtMs: number[] = [];
  const range = store.range.bind(store);
  store.range = (prefix: string) => {
    askedAtMs.push(clock.monotonicMs());
    return range(prefix);
  };
  const log = new RecordingLog();
  const view = new WatchCache({ store, clock, random: new SeededRandom(1), log, prefix: '/u/' });
  view.start();
  return { clock, kv, view, askedAtMs };
}

describe('a view is as new as the question it was proven by, not as its answer', () => {
  it('after the first list', async () => {
    const { clock, view, askedAtMs } = await slowView(300);
    await clock.advance(700);
    expect(askedAtMs).toEqual([0]);
    expect([view.freshAtMs, view.ageMs()]).toEqual([0, 700]);
  });

  it('after every probe, however long its answer took', async () => {
    const { clock, view, askedAtMs } = await slowView(300);
    let proofs = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const beforeMs = view.freshAtMs;
      await clock.advance(10);
      if (view.freshAtMs === beforeMs) continue;
      proofs += 1;
      expect(askedAtMs).toContain(view.freshAtMs);
      expect(view.ageMs()).toBeGreaterThanOrEqual(590);
    }
    expect(proofs).toBeGreaterThan(10);
  });

  it('by the wall clock too, which a suspended machine is dated by', async () => {
    const { clock, view } = await slowView(300);
    await clock.advance(2_300);
    const ageMs = view.ageMs();
    clock.stepWall(5_000);
    expect(view.ageMs()).toBeCloseTo(ageMs + 5_000, 6);
  });
});
