import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSite } from './load-site.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-site-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const build = (): void => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<title>it</title>');
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'start()');
};

test('a built dashboard is read into memory, plain and zipped, with its media types', () => {
  build();
  const site = loadSite(folder);
  expect(site?.index.mediaType).toBe('text/html; charset=utf-8');
  const script = site?.assets.get('index-abc.js');
  expect(script?.mediaType).toBe('text/javascript; charset=utf-8');
  expect(gunzipSync(script?.gzipped ?? '').toString()).toBe('start()');
});

test('none in the checkout is none; a folder that was named must have one', () => {
  expect(loadSite(undefined, join(folder, 'nowhere'))).toBeNull();
  expect(() => loadSite(folder)).toThrow(/http\.dashboardDir: .* has no dashboard/);
});

test('a folder that holds far more than the page is not read', () => {
  build();
  writeFileSync(join(folder, 'assets', 'large.js'), Buffer.alloc(5_000_000));
  expect(() => loadSite(folder)).toThrow('are no dashboard of ours');
});
