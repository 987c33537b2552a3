import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@understudy/shared/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { artefactsFolder } from '../../../adapters/node/artefacts-folder.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';

const NAME = 'understudy-agent-0.1.0-linux-x64.tar.gz';
const LARGE = 'understudy-agent-0.1.0-linux-arm64.tar.gz';
const CONTENT = Buffer.from('a tarball');
const LARGE_BYTES = 32 * 1024 * 1024;
let folder = '';

const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-artefacts-'));
  writeFileSync(join(folder, NAME), CONTENT);
  const large = Buffer.alloc(LARGE_BYTES, 7);
  writeFileSync(join(folder, LARGE), large);
  writeFileSync(join(folder, 'secret.key'), 'secret');
  const lines = [
    `${sumOf(CONTENT)}  ${NAME}`,
    `${sumOf(large)} *${LARGE}`,
    `${sumOf(CONTENT)}  ../../etc/passwd`,
    `${sumOf(CONTENT)}  gone.tar.gz`,
    `${sumOf(CONTENT)}  folder.tar.gz`,
  ];
  writeFileSync(join(folder, 'SHA256SUMS'), `${lines.join('\n')}\n`);
  symlinkSync('/etc', join(folder, 'folder.tar.gz'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(closeServers);

const serve = () => serveApi({ access: { anonymous: 'none' }, artefacts: artefactsFolder(folder) });

/** As it stands, without what `fetch` makes of dots. */
const statusOf = (url: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const asked = request({ port, path, host: '127.0.0.1' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', reject).end();
  });

describe('what is handed out', () => {
  it('is a file of the list, whole, with its SHA-256, to anybody', async () => {
    const { url } = await serve();
    const reply = await fetch(`${url}/artefacts/${NAME}`);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/gzip');
    expect(reply.headers.get('content-length')).toBe(String(CONTENT.byteLength));
    expect(reply.headers.get('etag')).toBe(`"${sumOf(CONTENT)}"`);
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(CONTENT);
    const again = await fetch(`${url}/artefacts/${NAME}`, { headers: { 'if-none-match': `"${sumOf(CONTENT)}"` } });
    expect(again.status).toBe(304);
  });

  it('is the list itself', async () => {
    const { url } = await serve();
    const text = await (await fetch(`${url}/artefacts/SHA256SUMS`)).text();
    expect(text).toContain(NAME);
  });

  it.each([
    ['a file that is not in the list', '/artefacts/secret.key'],
    ['a name in the list that is no plain name', '/artefacts/..%2F..%2Fetc%2Fpasswd'],
    ['a way up', '/artefacts/../secret.key'],
    ['an encoded way up', '/artefacts/%2e%2e%2fsecret.key'],
    ['a file that is gone', '/artefacts/gone.tar.gz'],
    ['a folder', '/artefacts/folder.tar.gz'],
    ['a byte that ends names in C', `/artefacts/${NAME}%00`],
    ['no name', '/artefacts/'],
  ])('is not %s', async (_name, path) => {
    const { url } = await serve();
    expect([400, 404]).toContain(await statusOf(url, path));
  });

  it('is nothing where no folder is configured', async () => {
    const { url } = await serveApi();
    expect((await fetch(`${url}/artefacts/${NAME}`)).status).toBe(404);
  });
});

/** A download from an address of this machine, which nobody reads. */
const begun = (url: string, from: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const own = { host: '127.0.0.1', port: new URL(url).port, path: `/artefacts/${LARGE}`, localAddress: from };
    request({ ...own, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
const ADDRESSES = [2, 3, 4, 5].flatMap((last) => [`127.0.0.${last}`, `127.0.0.${last}`]);

async function bytesOf(reply: IncomingMessage): Promise<number> {
  let count = 0;
  for await (const chunk of reply) count += (chunk as Buffer).byteLength;
  return count;
}

describe('many downloads at once', () => {
  it('from one address leave room for others: the third is told to ask again', async () => {
    const { url } = await serve();
    const two = [await begun(url, '127.0.0.2'), await begun(url, '127.0.0.2')];
    const third = await begun(url, '127.0.0.2');
    const other = await begun(url, '127.0.0.3');
    const codes = [...two, third, other].map(({ statusCode }) => statusCode);
    expect([codes, third.headers['retry-after']]).toEqual([[200, 200, 503, 200], '5']);
    for (const reply of [...two, third, other]) reply.destroy();
    const free = async () => {
      const reply = await begun(url, '127.0.0.2');
      reply.destroy();
      return reply.statusCode === 200;
    };
    await until('its slots are free', free, 5_000);
  });

  it('are bounded: the ninth is told to ask again, and a slot comes back when a reader goes', async () => {
    const { url } = await serve();
    const slow = await Promise.all(ADDRESSES.map((from) => begun(url, from)));
    expect(slow.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
    const ninth = await fetch(`${url}/artefacts/${LARGE}`);
    expect([ninth.status, ninth.headers.get('retry-after')]).toEqual([503, '5']);
    for (const reply of slow) reply.destroy();
    const free = async () => {
      const reply = await fetch(`${url}/artefacts/${NAME}`);
      await reply.arrayBuffer();
      return reply.status === 200;
    };
    await until('a slot is free', free, 5_000);
  });

  it('leave room for everybody else: health is answered between their pieces', async () => {
    const { url } = await serve();
    let left = 8;
    const downloads = ADDRESSES.map(async (from) => {
      const bytes = await bytesOf(await begun(url, from));
      left -= 1;
      return bytes;
    });
    let answered = 0;
    while (left > 0) {
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      if (left === 8) answered += 1;
    }
    expect(await Promise.all(downloads)).toEqual(Array(8).fill(LARGE_BYTES));
    // While all eight were under way, that is: pieces of 64 KiB, and others between them.
    expect(answered).toBeGreaterThan(3);
  });
});
