import { hasCode } from '@understudy/shared';
import { RecordingLog } from '@understudy/shared/testing';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { StoredKeys } from '../core/key-ring.ts';
import { fetchedKeyFile, keptKeys, keyFiles, parseNextKey } from './key-files.ts';

const HEX = 'ab'.repeat(32);
const KEYS: StoredKeys = {
  member: 'shop/db-1',
  current: { id: 2, hex: HEX },
  candidate: { id: 3, hex: 'cd'.repeat(32) },
  superseded: ['1-0011'],
};

let folder: string;
let log: RecordingLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-key-files-'));
  log = new RecordingLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = (configured: string | null = null) =>
  keyFiles(
    {
      stored: join(folder, 'state', 'keys.json'),
      next: join(folder, 'next.key'),
      configured: configured === null ? null : { path: join(folder, configured), id: 1 },
    },
    log,
  );

describe('keys.json', () => {
  it('comes back as it was written, is for its owner only, and makes its folder', async () => {
    await files().writeStored(KEYS);
    expect(await files().readStored()).toEqual(KEYS);
    expect(statSync(join(folder, 'state', 'keys.json')).mode & 0o777).toBe(0o600);
  });

  it('is nothing when it is not there', async () => {
    expect(await files().readStored()).toBeNull();
    expect(log.events()).toEqual([]);
  });

  test.each([
    ['no JSON', '{'],
    ['another version', JSON.stringify({ schemaVersion: 2, ...KEYS })],
    ['a short key', JSON.stringify({ schemaVersion: 1, ...KEYS, current: { id: 1, hex: 'ab' } })],
    ['an id out of range', JSON.stringify({ schemaVersion: 1, ...KEYS, current: { id: 256, hex: HEX } })],
    ['a broken candidate', JSON.stringify({ schemaVersion: 1, ...KEYS, candidate: {} })],
    ['no member', JSON.stringify({ schemaVersion: 1, ...KEYS, member: 'db-1' })],
    ['no list', JSON.stringify({ schemaVersion: 1, ...KEYS, superseded: [1] })],
  ])('is worth nothing, and told about, with %s', async (_, text) => {
    await files().writeStored(KEYS);
    writeFileSync(join(folder, 'state', 'keys.json'), text);
    expect(await files().readStored()).toBeNull();
    expect(log.events()).toEqual(['keys.unreadable']);
    expect(JSON.stringify(log.lines)).not.toContain(HEX);
  });
});

describe('the next key', () => {
  it('is an id and a key in one line', async () => {
    writeFileSync(join(folder, 'next.key'), `2 ${HEX.toUpperCase()}\n`, { mode: 0o600 });
    expect(await files().readOffered()).toEqual({ next: { id: 2, hex: HEX }, configured: null });
    expect(log.events()).toEqual([]);
  });

  it('is nothing when it is not there', async () => {
    expect(await files().readOffered()).toEqual({ next: null, configured: null });
  });

  it('that others may read is taken, with one warning', async () => {
    writeFileSync(join(folder, 'next.key'), `2 ${HEX}`, { mode: 0o644 });
    const opened = files();
    for (let i = 0; i < 3; i++) expect((await opened.readOffered()).next?.id).toBe(2);
    expect(log.events()).toEqual(['key.file_readable_by_others']);
  });

  test.each([HEX, `0 ${HEX}`, `256 ${HEX}`, `2 ${HEX} x`, `two ${HEX}`, '2 abcd', '', `2\n1 ${HEX}`])(
    '%j is refused, without repeating it',
    (text) => {
      let thrown: unknown;
      try {
        parseNextKey(text, 'next.key');
      } catch (error) {
        thrown = error;
      }
      expect(hasCode(thrown, 'KEY_INVALID')).toBe(true);
      expect(String(thrown)).toContain('next.key');
      expect(String(thrown)).not.toContain(HEX);
    },
  );

  it('that is a folder is refused, not taken for absent', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
    await expect(files().readOffered()).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });
});

describe('the configured key file', () => {
  it('is read again, under the configured id', async () => {
    writeFileSync(join(folder, 'agent.key'), `${HEX}\n`, { mode: 0o600 });
    expect((await files('agent.key').readOffered()).configured).toEqual({ id: 1, hex: HEX });
  });

  it('that is gone offers nothing', async () => {
    expect((await files('agent.key').readOffered()).configured).toBeNull();
  });
});

test('a key that was acknowledged in an earlier boot stands in for one of this boot, for its own member only', async () => {
  const cache = fetchedKeyFile(join(folder, 'fetched.key'));
  const kept = (member: StoredKeys['member']) => keptKeys(cache, files(), member).read();
  expect(await kept(KEYS.member)).toBeNull();
  await files().writeStored(KEYS);
  expect([await kept(KEYS.member), await kept('shop/db-2')]).toEqual([KEYS.current, null]);
  await keptKeys(cache, files(), KEYS.member).write({ id: 7, hex: HEX });
  expect(await kept(KEYS.member)).toEqual({ id: 7, hex: HEX });
});
