import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, test } from 'vitest';
import { closeServers, serveApi } from '../http.fixtures.ts';
import { DASHBOARD_CSP, type Site, type SiteFile } from '../site.ts';

const file = (text: string, mediaType: string): SiteFile => ({
  bytes: Buffer.from(text),
  gzipped: Buffer.from('zipped'),
  mediaType,
});

const site: Site = {
  index: file('<!doctype html><title>it</title>', 'text/html; charset=utf-8'),
  assets: new Map([['index-abc.js', file('start()', 'text/javascript; charset=utf-8')]]),
};

afterEach(closeServers);

const ask = async (
  path: string,
  from: Parameters<typeof serveApi>[0] = { site },
  headers: Readonly<Record<string, string>> = {},
) => {
  const { url } = await serveApi({ access: { anonymous: 'none' }, ...from });
  return fetch(`${url}${path}`, { headers: { 'accept-encoding': 'identity', ...headers } });
};

describe('the dashboard', () => {
  test.each(['/', '/history', '/cluster', '/login', '/members/db/one'])('is at %s, for anybody', async (path) => {
    const reply = await ask(path);
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain('<title>it</title>');
    expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(reply.headers.get('cache-control')).toBe('no-cache');
    expect(reply.headers.get('content-security-policy')).toBe(DASHBOARD_CSP);
  });

  it('has files that may be kept for ever, as their names change with them', async () => {
    const reply = await ask('/assets/index-abc.js');
    expect(await reply.text()).toBe('start()');
    expect(reply.headers.get('cache-control')).toContain('immutable');
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await ask('/assets/index-old.js')).status).toBe(404);
  });

  it.each(['/assets/..%2f..%2fpackage.json', '/assets/__proto__', '/members/DB/one', '/members/db/%3Cb%3E'])(
    'gives nothing at %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it('comes zipped to whom takes it so', async () => {
    const gzipped = gzipSync('<title>zipped</title>');
    const { url } = await serveApi({ site: { ...site, index: { ...site.index, gzipped } } });
    const reply = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
    expect(reply.headers.get('content-encoding')).toBe('gzip');
    expect(reply.headers.get('vary')).toBe('accept-encoding');
    expect(await reply.text()).toBe('<title>zipped</title>');
  });

  it('says plainly that it is not built, and how to build it', async () => {
    const reply = await ask('/', {});
    expect(reply.status).toBe(404);
    expect(reply.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await reply.text()).toContain('npm run dashboard');
  });
});

test('the policy allows nothing inline and nothing from elsewhere', () => {
  expect(DASHBOARD_CSP).not.toMatch(/unsafe|http|\*/);
  expect(DASHBOARD_CSP).toContain("default-src 'none'");
});
