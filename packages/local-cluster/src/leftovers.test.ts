import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepOnlyLogs, ownFolder, removeLeftovers } from './leftovers.ts';

let cache = '';
const NOW_MS = 1_800_000_000_000;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'understudy-leftovers-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

function folder(name: string, owner?: object): string {
  const dir = join(cache, name);
  mkdirSync(join(dir, 'etcd'), { recursive: true });
  mkdirSync(join(dir, 'logs'));
  if (owner) writeFileSync(join(dir, 'owner.json'), JSON.stringify(owner));
  return dir;
}

test('what a killed play left goes at the next start; what lives, and what is of another play, stays', async () => {
  ownFolder(folder('demo-lives'));
  const child = spawn('true');
  await new Promise((resolve) => child.once('exit', resolve));
  folder('demo-killed', { pid: child.pid, startTime: '1' });
  folder('demo-pid-used-again', { pid: process.pid, startTime: '1' });
  folder('soak-killed', { pid: child.pid, startTime: '1' });
  expect(removeLeftovers(cache, 'demo', NOW_MS)).toBe(2);
  expect(readdirSync(cache).toSorted()).toEqual(['demo-lives', 'soak-killed']);
});

test('a folder that names no owner goes once it is an hour old', () => {
  const dir = folder('demo-of-an-earlier-build');
  utimesSync(dir, (NOW_MS - 60_000) / 1000, (NOW_MS - 60_000) / 1000);
  expect(removeLeftovers(cache, 'demo', NOW_MS)).toBe(0);
  expect(removeLeftovers(cache, 'demo', NOW_MS + 3_600_000)).toBe(1);
});

test('after a failure the logs stay, and nothing else', () => {
  const dir = folder('demo-failed');
  ownFolder(dir);
  keepOnlyLogs(dir);
  expect(existsSync(join(dir, 'etcd'))).toBe(false);
  expect(readdirSync(dir).toSorted()).toEqual(['logs', 'owner.json']);
});
