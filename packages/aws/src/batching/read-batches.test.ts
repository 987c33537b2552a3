import type { CloudCallOptions } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ReadBatches } from './read-batches.ts';

interface Seen {
  readonly id: string;
  readonly readAtMs: number;
}

interface Call {
  readonly ids: readonly string[];
  readonly beganAtMs: number;
  readonly options: CloudCallOptions;
}

const LATENCY_MS = 100;

/** Batches over an EC2 that answers after 100 ms with the moment it read at. */
function bench(fails: (ids: readonly string[]) => boolean = () => false) {
  const clock = new SimClock();
  const calls: Call[] = [];
  const batches = new ReadBatches<Seen>({
    ...{ action: 'DescribeInstances', clock, idOf: (one) => one.id },
    ask: async (ids, options) => {
      const beganAtMs = clock.monotonicMs();
      calls.push({ ids, beganAtMs, options });
      await clock.sleep(LATENCY_MS, options.signal);
      if (fails(ids)) throw new Error('the zone is impaired');
      return ids.map((id) => ({ id, readAtMs: beganAtMs }));
    },
  });
  return { clock, calls, batches };
}

const numbered = (count: number, prefix = 'i'): string[] => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

describe('reads put together', () => {
  it('sends the read of one recovery at once', async () => {
    const { clock, calls, batches } = bench();
    const found = await clock.runUntilSettled(batches.read('a', ['i-1'], {}));
    expect(found).toEqual([{ id: 'i-1', readAtMs: 0 }]);
    expect(calls).toHaveLength(1);
  });

  it('answers 1 000 recoveries of a zone that look every quarter of a second with a few calls', async () => {
    const { clock, calls, batches } = bench();
    const look = async (id: string) => {
      for (let count = 0; count < 20; count += 1) {
        await batches.read('a', [id], {});
        await clock.sleep(250);
      }
    };
    await clock.runUntilSettled(Promise.all(numbered(1_000).map(look)));
    expect(batches.counts.asked).toBe(20_000);
    expect(calls.length).toBeLessThan(220);
    const perSecond = calls.length / (clock.monotonicMs() / 1_000);
    expect(perSecond).toBeLessThan(4.3);
    expect(Math.max(...calls.map(({ ids }) => ids.length))).toBe(100);
  });

  it('never answers with a call that began before the reader asked', async () => {
    const { clock, calls, batches } = bench();
    const first = batches.read('a', ['i-1'], {});
    await clock.advance(LATENCY_MS / 2);
    const askedAtMs = clock.monotonicMs();
    const second = batches.read('a', ['i-1'], {});
    await clock.runUntilSettled(Promise.all([first, second]));
    expect((await second)[0]?.readAtMs).toBeGreaterThanOrEqual(askedAtMs);
    expect(calls).toHaveLength(2);
  });

  it.each([3, 17, 40])('keeps that promise under load with a reader every %i ms', async (everyMs) => {
    const { clock, batches } = bench();
    const late: string[] = [];
    const reading: Promise<void>[] = [];
    for (let at = 0; at < 200; at += 1) {
      const askedAtMs = clock.monotonicMs();
      const id = `i-${at % 5}`;
      reading.push(
        batches.read('a', [id], {}).then(([seen]) => {
          if (!seen || seen.id !== id || seen.readAtMs < askedAtMs) late.push(`${id} asked at ${askedAtMs}`);
        }),
      );
      await clock.advance(everyMs);
    }
    await clock.runUntilSettled(Promise.all(reading));
    expect(late).toEqual([]);
    expect(batches.counts.sent).toBeLessThan(batches.counts.asked);
  });

  it('never names ids of two zones in one call, and an impaired zone fails only its own readers', async () => {
    const { clock, calls, batches } = bench((ids) => ids.some((id) => id.startsWith('lost')));
    const lost = numbered(50, 'lost').map((id) => batches.read('a', [id], {}));
    const well = numbered(50, 'well').map((id) => batches.read('b', [id], {}));
    const outcomes = clock.runUntilSettled(Promise.allSettled([...lost, ...well]));
    expect((await outcomes).map((one) => one.status)).toEqual([
      ...lost.map(() => 'rejected'),
      ...well.map(() => 'fulfilled'),
    ]);
    for (const { ids } of calls) expect(new Set(ids.map((id) => id.slice(0, 4))).size).toBe(1);
  });

  it('does not repeat what stays broken, and does again once it works', async () => {
    let broken = true;
    const { clock, calls, batches } = bench(() => broken);
    const read = () => clock.runUntilSettled(batches.read('a', ['i-1'], { repeat: true }).catch(() => null));
    await read();
    await read();
    broken = false;
    await read();
    await read();
    expect(calls.map(({ options }) => options.repeat)).toEqual([true, false, false, true]);
  });

  it('takes the most urgent first, and gives their urgency to the call', async () => {
    const { clock, calls, batches } = bench();
    const before = numbered(4).map((id) => batches.read('a', [id], {}));
    const chores = numbered(150, 'chore').map((id) => batches.read('a', [id], { urgency: 'chore' }));
    const fence = batches.read('a', ['i-fence'], { urgency: 'safety' });
    await clock.runUntilSettled(Promise.all([...before, ...chores, fence]));
    expect(calls.slice(4).map(({ options }) => options.urgency)).toEqual(['safety', 'chore']);
    expect(calls[4]?.ids).toContain('i-fence');
  });

  it('ends a call only when nobody waits for it, and keeps nothing on the signals', async () => {
    const { clock, calls, batches } = bench();
    const [one, other] = [new AbortController(), new AbortController()];
    const busy = numbered(4).map((id) => batches.read('a', [id], {}));
    const first = batches.read('a', ['i-8'], { signal: one.signal });
    const second = batches.read('a', ['i-9'], { signal: other.signal });
    await clock.advance(260);
    const ended = expect(first).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    one.abort(new Error('enough'));
    await ended;
    expect(calls.at(-1)?.ids).toEqual(['i-8', 'i-9']);
    expect(calls.at(-1)?.options.signal?.aborted).toBe(false);
    await clock.runUntilSettled(Promise.all([...busy, second]));
    expect(getEventListeners(other.signal, 'abort')).toEqual([]);
    await clock.advance(1_000);
    const third = batches.read('a', ['i-9'], { signal: other.signal });
    const refused = expect(third).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    other.abort(new Error('enough'));
    await refused;
    expect(calls.at(-1)?.options.signal?.aborted).toBe(true);
  });

  it('forgets whoever gives up before the call begins', async () => {
    const { clock, calls, batches } = bench();
    const busy = numbered(4).map((id) => batches.read('a', [id], {}));
    const gone = new AbortController();
    const waiting = batches.read('a', ['i-8'], { signal: gone.signal });
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    gone.abort(new Error('enough'));
    await refused;
    await clock.runUntilSettled(Promise.all(busy));
    await clock.advance(1_000);
    expect(calls).toHaveLength(4);
  });
});
