import type { FleetView, HeardView } from '@understudy/shared';
import { afterEach, describe, expect, it } from 'vitest';
import type { FeedEvent } from '../../fleet/fleet-feed.ts';
import type { FleetSource } from '../api-source.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';

afterEach(closeServers);

const FLEET = { coordinatorId: 'c1' } as FleetView;

/** A fleet that a test tells of. */
function source(over: Partial<FleetSource> = {}) {
  const watchers = new Set<(event: FeedEvent) => void>();
  const orders: (string | null)[] = [];
  const fleet: FleetSource = {
    fleet: () => FLEET,
    heard: (order) => {
      orders.push(order);
      return { coordinatorId: 'c1' } as HeardView;
    },
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
    expect(await until(reader, 'c1')).toBe('retry: 2000\n\nevent: fleet\ndata: {"coordinatorId":"c1"}\n\n');
    for (const watcher of watchers) watcher({ event: 'delta', text: '{"n":1}' });
    expect(await until(reader, '"n"')).toContain('event: delta\ndata: {"n":1}\n\n');
    await reader.cancel();
    await expect.poll(() => watchers.size).toBe(0);
  });

  it('is refused to whom may not read', async () => {
    const { url } = await serveApi({ ...source(), access: { anonymous: 'none' } });
    for (const path of ['/v1/fleet', '/v1/fleet/stream', '/v1/heard'])
      expect((await fetch(`${url}${path}`)).status, path).toBe(401);
  });

  it('tells a fleet of megabytes at once', async () => {
    const text = JSON.stringify('x'.repeat(3_000_000));
    const { api } = source({
      watch: (watcher) => {
        watcher({ event: 'fleet', text });
        return () => undefined;
      },
    });
    const { url } = await serveApi({ api });
    const reader = reading(await fetch(`${url}/v1/fleet/stream`));
    expect((await until(reader, '"\n\n')).length).toBeGreaterThan(3_000_000);
    await reader.cancel();
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
