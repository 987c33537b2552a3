import type { FleetView, HeardView } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { FleetEvent } from '../../fleet/fleet-feed.ts';
import type { FleetSource } from '../api-source.ts';
import { STREAM_MS } from '../event-stream.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';

afterEach(closeServers);

const FLEET = { coordinatorId: 'c1' } as FleetView;

/** A fleet that a test tells of. */
function source(over: Partial<FleetSource> = {}) {
  const watchers = new Set<(event: FleetEvent) => void>();
  const orders: (string | null)[] = [];
  const fleet: FleetSource = {
    fleet: () => FLEET,
    heard: (order) => {
      orders.push(order);
      return { coordinatorId: 'c1' } as HeardView;
    },
    isCrowded: false,
    watch: (watcher) => {
      watchers.add(watcher);
      watcher({ event: 'fleet', text: JSON.stringify(FLEET) });
      return () => watchers.delete(watcher);
    },
    ...over,
  };
  return { api: { fleet }, watchers, orders };
}

const reading = (reply: Response): ReadableStreamDefaultReader<string> => {
  if (!reply.body) throw new Error('no body');
  return reply.body.pipeThrough(new TextDecoderStream()).getReader();
};

/** What comes until this text has come. */
async function until(reader: ReadableStreamDefaultReader<string>, wanted: string): Promise<string> {
  let text = '';
  while (!text.includes(wanted)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended after ${text}`);
    text += value;
  }
  return text;
}

describe('the stream of the fleet', () => {
  it('is server-sent events, until the reader goes', async () => {
    const { api, watchers } = source();
    const { url } = await serveApi({ api });
    const reply = await fetch(`${url}/v1/fleet/stream`);
    expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const reader = reading(reply);
    expect(await until(reader, 'c1')).toBe('retry: 1000\n\nevent: fleet\ndata: {"coordinatorId":"c1"}\n\n');
    for (const watcher of watchers) watcher({ event: 'delta', text: '{"n":1}' });
    expect(await until(reader, '"n"')).toContain('event: delta\ndata: {"n":1}\n\n');
    await reader.cancel();
    await expect.poll(() => watchers.size).toBe(0);
  });

  it('says goodbye after a while, so that whoever may read no longer is told no longer', async () => {
    const clock = new SimClock();
    const { api, watchers } = source();
    const { url } = await serveApi({ api, clock });
    const reader = reading(await fetch(`${url}/v1/fleet/stream`));
    await until(reader, 'c1');
    await clock.advance(STREAM_MS);
    expect(await until(reader, 'bye')).toContain('event: bye');
    expect((await reader.read()).done).toBe(true);
    await expect.poll(() => watchers.size).toBe(0);
  });

  it('is refused where as many watch as may, and to whom may not read', async () => {
    const crowded = await serveApi(source({ isCrowded: true }));
    const reply = await fetch(`${crowded.url}/v1/fleet/stream`);
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '5']);
    const closed = await serveApi({ ...source(), access: { anonymous: 'none' } });
    for (const path of ['/v1/fleet', '/v1/fleet/stream', '/v1/heard'])
      expect((await fetch(`${closed.url}${path}`)).status, path).toBe(401);
  });

  it('drops a reader that does not read, and not before megabytes wait for it', async () => {
    const { api, watchers } = source();
    const { url } = await serveApi({ api });
    const reply = await fetch(`${url}/v1/fleet/stream`);
    await expect.poll(() => watchers.size).toBe(1);
    const text = JSON.stringify('x'.repeat(1_000_000));
    let told = 0;
    while (watchers.size > 0 && told < 60) {
      for (const watcher of watchers) watcher({ event: 'delta', text });
      told++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(told).toBeGreaterThan(3);
    expect(watchers.size).toBe(0);
    await reply.body?.cancel().catch(() => undefined);
  });
});

describe('what is heard', () => {
  it('is answered without names to whom knows the order', async () => {
    const { api, orders } = source();
    const { url } = await serveApi({ api });
    await fetch(`${url}/v1/heard?order=abc`);
    await fetch(`${url}/v1/heard`);
    expect(orders).toEqual(['abc', null]);
    expect((await fetch(`${url}/v1/heard?order=${'x'.repeat(99)}`)).status).toBe(400);
    expect(await (await fetch(`${url}/v1/fleet`)).json()).toEqual(FLEET);
  });
});
