import { afterEach, expect, test } from 'vitest';
import type { ApiSource } from '../api-source.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';

type WhatIf = ApiSource['controls']['whatIf'];

afterEach(closeServers);

async function serve(whatIf: WhatIf): Promise<string> {
  const controls = { whatIf } as ApiSource['controls'];
  const { url } = await serveApi({ api: { controls, leader: () => 'self' } });
  return `${url}/v1/what-if?kind=zone-lost&name=us-east-1a`;
}

test('while another question is answered it is refused, and says when to ask again', async () => {
  const reply = await fetch(await serve(() => Promise.resolve({ kind: 'busy' })));
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await reply.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
});

test('the question hears of it when its caller leaves, and not before', async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  const ended = Promise.withResolvers<void>();
  const url = await serve(async (_, signal) => {
    if (!signal) throw new Error('nobody can leave');
    begun.resolve(signal);
    signal.addEventListener('abort', () => ended.resolve());
    await ended.promise;
    return { kind: 'left' };
  });
  const caller = new AbortController();
  const asked = fetch(url, { signal: caller.signal });
  const signal = await begun.promise;
  expect(signal.aborted).toBe(false);
  caller.abort();
  await expect(asked).rejects.toThrow('abort');
  await ended.promise;
  expect(signal.aborted).toBe(true);
});
