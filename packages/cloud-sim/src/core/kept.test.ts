import { SeededRandom } from '@understudy/shared';
import { expect, test } from 'vitest';
import { Consistency } from './consistency.ts';
import { LatencyModel } from './latency.ts';
import { launch, testRegion } from './region.fixtures.ts';
import { ResourceStore } from './resource-store.ts';

const KEPT = { events: 100, launches: 3, tokens: 2 };

test('events and launches are kept up to the configured number, and a reader sees that some are gone', async () => {
  const one = testRegion({ kept: KEPT });
  for (let i = 0; i < 40; i++) {
    await launch(one);
    await one.clock.advance(60_000);
  }
  const { lastSeq } = one.sim.log;
  const events = one.sim.log.events();
  expect(lastSeq).toBeGreaterThan(200);
  expect(events.length).toBeLessThan(KEPT.events * 1.05 + 1);
  expect(events.at(-1)?.seq).toBe(lastSeq);
  expect(one.sim.log.launches()).toHaveLength(3);
});

test('a forgotten token acts like a new one', async () => {
  const one = testRegion({ kept: KEPT });
  const ids = [];
  for (const ClientToken of ['a', 'a', 'b', 'c', 'a']) ids.push(await launch(one, { ClientToken }));
  expect(ids[1]).toBe(ids[0]);
  expect(ids[4]).not.toBe(ids[0]);
});

test.each([1, 10])('at speed %d what was deleted is forgotten after ten minutes of the Region', (speed) => {
  const store = new ResourceStore<{ id: string }>(
    'thing',
    new Consistency(new LatencyModel(new SeededRandom(1), speed), 1),
  );
  const stale = (nowMs: number, staleMs: number) => ({ nowMs, reader: '', action: '', staleMs });
  const [deletedAtMs, forgottenAtMs] = [100_000, 100_000 + 600_000 / speed];
  store.put({ id: 'old' }, 0);
  store.remove('old', deletedAtMs);
  // An outdated answer still shows it just before. It is buried when something else is removed.
  expect(store.seen('old', stale(deletedAtMs + 1, 50_000))).toEqual({ id: 'old' });
  store.put({ id: 'other' }, forgottenAtMs);
  store.remove('other', forgottenAtMs);
  expect(store.seen('old', stale(forgottenAtMs, forgottenAtMs - 50_000))).toBeUndefined();
});
