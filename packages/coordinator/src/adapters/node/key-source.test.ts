import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keySource } from './key-source.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-key-source-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);
const master = (name: string, fill: string) => writeFileSync(path(name), `${fill.repeat(32)}\n`, { mode: 0o600 });
const config = (keys: string, more = '') =>
  writeFileSync(
    path('c1.yaml'),
    `id: c1\naz: us-east-1a\nudp: { host: 127.0.0.1 }\netcd: { hosts: ['http://127.0.0.1:2379'] }\nkeys: ${keys}\n${more}`,
  );
const ids = async (source: ReturnType<typeof keySource>) => {
  const { masters, forced } = await source.read();
  return { ids: [...masters].map(([id, secret]) => [id, secret[0]]), forced };
};

describe('the key set of a configuration file', () => {
  it('is what file and key files say now, oldest first', async () => {
    master('m1', 'aa');
    config(`[{ id: 1, file: ${path('m1')} }]`);
    const source = keySource(path('c1.yaml'));
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
    const source = keySource(path('c1.yaml'));
    await source.read();
    spoil();
    const error: unknown = await source.read().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain(said);
    expect(String(error)).not.toContain('zz'.repeat(8));
    good();
    expect((await ids(source)).ids).toEqual([[1, 0xaa]]);
  });
});
