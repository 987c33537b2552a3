import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OperationError } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock } from '@understudy/shared/testing';
import { keySource } from './key-source.ts';
import { StoredKeys } from './stored-keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-key-source-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What lies in the store, and how often it was asked. */
const store = { texts: new Map<string, string>(), trouble: null as Error | null, asked: 0 };
const clock = new SimClock();
const log = new RecordingLog();
const stored = () =>
  new StoredKeys({
    ...{ clock, random: new SeededRandom(1), log, refetchEveryMs: 900_000 },
    read: async ({ reference }) => {
      store.asked += 1;
      if (store.trouble) throw store.trouble;
      const text = store.texts.get(reference);
      if (text === undefined) throw new OperationError('CLOUD_NOT_FOUND', 'GetParameter: ParameterNotFound');
      return text;
    },
  });

const path = (name: string) => join(folder, name);
const master = (name: string, fill: string) => writeFileSync(path(name), `${fill.repeat(32)}\n`, { mode: 0o600 });
const config = (keys: string, more = '') =>
  writeFileSync(
    path('c1.yaml'),
    `id: c1\naz: us-east-1a\nudp: { host: 127.0.0.1 }\netcd: { hosts: ['http://127.0.0.1:2379'] }\nkeys: ${keys}\n${more}`,
  );
const ids = async (source: ReturnType<typeof keySource>) => {
  const { masters, forced } = await source.read({ isAsked: false });
  return { ids: [...masters].map(([id, secret]) => [id, secret[0]]), forced };
};

describe('the key set of a configuration file', () => {
  it('is what file and key files say now, oldest first', async () => {
    master('m1', 'aa');
    config(`[{ id: 1, file: ${path('m1')} }]`);
    const source = keySource(path('c1.yaml'), stored());
    expect(await ids(source)).toEqual({ ids: [[1, 0xaa]], forced: [] });
    master('m2', 'bb');
    config(`[{ id: 1, file: ${path('m1')} }, { id: 2, file: ${path('m2')} }]`);
    expect((await ids(source)).ids).toEqual([
      [1, 0xaa],
      [2, 0xbb],
    ]);
    config(`[{ id: 2, file: ${path('m2')} }]`, 'dropKeysInUse: [1]\n');
    expect(await ids(source)).toEqual({ ids: [[2, 0xbb]], forced: [1] });
    // The key file alone.
    master('m2', 'cc');
    expect((await ids(source)).ids).toEqual([[2, 0xcc]]);
  });

  it.each([
    ['a missing key file', () => config(`[{ id: 1, file: ${path('nowhere')} }]`), 'KEY_INVALID', 'nowhere'],
    ['a key file that is no key', () => master('m1', 'zz'), 'KEY_INVALID', 'm1'],
    ['a missing configuration', () => rmSync(path('c1.yaml')), 'CONFIG_INVALID', 'c1.yaml'],
    [
      'an unknown field anywhere',
      () => config(`[{ id: 1, file: ${path('m1')} }]`, 'colour: red\n'),
      'CONFIG_INVALID',
      'colour',
    ],
    ['no keys', () => config('[]'), 'CONFIG_INVALID', 'keys'],
    [
      'an id both kept and dropped',
      () => config(`[{ id: 1, file: ${path('m1')} }]`, 'dropKeysInUse: [1]\n'),
      'CONFIG_INVALID',
      'dropKeysInUse',
    ],
  ])('is refused with %s, naming it; and taken again when that is mended', async (_, spoil, code, said) => {
    const good = () => {
      master('m1', 'aa');
      config(`[{ id: 1, file: ${path('m1')} }]`);
    };
    good();
    const source = keySource(path('c1.yaml'), stored());
    await source.read({ isAsked: false });
    spoil();
    const error: unknown = await source.read({ isAsked: false }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain(said);
    expect(String(error)).not.toContain('zz'.repeat(8));
    good();
    expect((await ids(source)).ids).toEqual([[1, 0xaa]]);
  });
});

describe('a key that lies in a store', () => {
  beforeEach(() => {
    store.texts = new Map([['/m/1', `${'aa'.repeat(32)}\n`]]);
    store.trouble = null;
    store.asked = 0;
    config('[{ id: 1, ssmParameter: /m/1 }]');
  });
  const down = new OperationError('CLOUD_UNAVAILABLE', 'GetParameter: no answer');

  it('is asked for at first, and then now and then, or when a person wants it', async () => {
    const source = keySource(path('c1.yaml'), stored());
    for (let look = 0; look < 5; look += 1) expect((await ids(source)).ids).toEqual([[1, 0xaa]]);
    expect(store.asked).toBe(1);
    store.texts.set('/m/1', 'cc'.repeat(32));
    const { masters } = await source.read({ isAsked: true });
    expect(masters.get(1)?.[0]).toBe(0xcc);
    await clock.advance(900_001);
    await ids(source);
    expect(store.asked).toBe(3);
  });

  it('stays as it is while the store cannot be asked, which is told once', async () => {
    const source = keySource(path('c1.yaml'), stored());
    await ids(source);
    store.trouble = down;
    const before = log.linesOf('keys.fetch_failed').length;
    for (let minutes = 0; minutes < 30; minutes += 1) {
      await clock.advance(60_001);
      expect((await ids(source)).ids).toEqual([[1, 0xaa]]);
    }
    expect(store.asked).toBeGreaterThan(10);
    expect(log.linesOf('keys.fetch_failed')).toHaveLength(before + 1);
    expect(JSON.stringify(log.lines)).not.toContain('aaaa');
  });

  it('is refused, and read again within a minute, where it is none', async () => {
    const source = keySource(path('c1.yaml'), stored());
    store.texts.set('/m/1', 'secret-but-no-key');
    await expect(ids(source)).rejects.toThrow('ssmParameter /m/1');
    await expect(ids(source)).rejects.not.toThrow('secret-but');
    store.texts.set('/m/1', 'bb'.repeat(32));
    await clock.advance(60_001);
    expect((await ids(source)).ids).toEqual([[1, 0xbb]]);
  });

  it('that was never read is refused while the store cannot be asked', async () => {
    store.trouble = down;
    await expect(ids(keySource(path('c1.yaml'), stored()))).rejects.toThrow('cannot read ssmParameter /m/1');
  });

  it('is waited for at the start, but not where the store refuses', async () => {
    const places = [{ store: 'ssmParameter', reference: '/m/1' }] as const;
    store.trouble = down;
    const keys = stored();
    const first = keys.first(places);
    await clock.advance(100_000);
    expect(store.asked).toBeGreaterThan(3);
    store.trouble = null;
    await clock.runUntilSettled(first);
    expect(keys.textOf(places[0])).toContain('aaaa');
    store.texts.clear();
    await expect(stored().first(places)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  it.each([
    ['CredentialsProviderError', 'waits'],
    ['ExpiredTokenException', 'waits'],
    ['UnrecognizedClientException', 'waits'],
    ['AccessDeniedException', 'KEY_INVALID'],
    ['DecryptionFailure', 'KEY_INVALID'],
  ])('at the start, %s: %s', async (upstreamCode, what) => {
    store.trouble = new OperationError('CLOUD_DENIED', `GetParameter: ${upstreamCode}`, { upstreamCode });
    let outcome = 'waits';
    const places = [{ store: 'ssmParameter', reference: '/m/1' }] as const;
    void stored()
      .first(places)
      .catch((error: OperationError) => {
        outcome = error.code;
      });
    await clock.advance(100_000);
    expect(outcome).toBe(what);
  });
});
