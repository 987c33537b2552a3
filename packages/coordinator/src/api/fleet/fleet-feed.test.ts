import type { FleetDelta, FleetView, StatusView } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { type FeedEvent, FleetFeed } from './fleet-feed.ts';

function feeding() {
  const clock = new SimClock();
  const counts = { asked: 0, passes: 0, rests: 0 };
  const state = { delta: true, uptimeMs: 0, problems: 0 };
  const feed = new FleetFeed(
    {
      askPeers: () => void counts.asked++,
      pass: () => {
        counts.passes++;
        return { delta: state.delta ? ({ changed: [] } as unknown as FleetDelta) : null };
      },
      fleet: () => ({ members: [] }) as unknown as FleetView,
      status: () => ({ ...state }) as unknown as StatusView,
      rest: () => void counts.rests++,
    },
    clock,
  );
  return { clock, counts, state, feed };
}

const names = (events: readonly FeedEvent[]): string => events.map(({ event }) => event).join(' ');

describe('the feed', () => {
  it('does nothing while nobody watches', async () => {
    const { clock, counts } = feeding();
    await clock.advance(60_000);
    expect(counts).toEqual({ asked: 0, passes: 0, rests: 0 });
  });

  it('tells everything at once, then a delta a second', async () => {
    const { clock, feed, counts } = feeding();
    const told: FeedEvent[] = [];
    feed.watch((event) => told.push(event));
    expect(names(told)).toBe('status fleet');
    await clock.advance(3_000);
    expect(names(told.slice(2).filter(({ event }) => event !== 'status'))).toBe('delta delta delta');
    expect(counts.asked).toBe(4);
  });

  it('works once a second for however many watch, and writes each event once', async () => {
    const { clock, feed, counts } = feeding();
    const texts: string[][] = [[], []];
    for (const list of texts) feed.watch(({ text }) => list.push(text));
    await clock.advance(2_000);
    expect(counts.passes).toBe(3);
    expect(texts[0]?.slice(2)).toEqual(texts[1]?.slice(2));
  });

  it('tells the status when it changed, and now and then for its ages', async () => {
    const { clock, feed, state } = feeding();
    const told: FeedEvent[] = [];
    feed.watch((event) => told.push(event));
    await clock.advance(2_000);
    const before = told.filter(({ event }) => event === 'status').length;
    state.uptimeMs = 99;
    await clock.advance(2_000);
    expect(told.filter(({ event }) => event === 'status')).toHaveLength(before);
    state.problems = 1;
    await clock.advance(1_000);
    expect(told.filter(({ event }) => event === 'status')).toHaveLength(before + 1);
    await clock.advance(10_000);
    expect(told.filter(({ event }) => event === 'status').length).toBeGreaterThan(before + 1);
  });

  it('tells everything again when members or coordinators are others', async () => {
    const { clock, feed, state } = feeding();
    const told: FeedEvent[] = [];
    feed.watch((event) => told.push(event));
    state.delta = false;
    await clock.advance(1_000);
    expect(told.at(-1)?.event).toBe('fleet');
  });

  it('rests when the last one leaves, and begins again', async () => {
    const { clock, feed, counts } = feeding();
    const leave = [feed.watch(() => undefined), feed.watch(() => undefined)];
    leave[0]?.();
    await clock.advance(1_000);
    expect(counts.passes).toBe(2);
    leave[1]?.();
    await clock.advance(60_000);
    expect(counts).toMatchObject({ passes: 2, rests: 1 });
    feed.watch(() => undefined);
    await clock.advance(1_000);
    expect(counts.passes).toBe(4);
    feed.close();
    await clock.advance(60_000);
    expect(counts.passes).toBe(4);
  });
});
