import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@understudy/shared/node';
import { afterAll, describe, expect, it } from 'vitest';
import { crawlOf, instanceRow } from '../testing/crawls.ts';
import { HISTORY_CONTRACT } from '../testing/history-contract.ts';
import { HistoryThread } from './history-thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'inventory-thread-'));
afterAll(() => rmSync(folder, { recursive: true }));
const threadAt = (file: string) => new HistoryThread({ kind: 'sqlite', file }, new SystemClock());

describe('a history in a thread of its own', () => {
  // Each starts a thread. What is answered behind it is tested there, without one.
  it.each(HISTORY_CONTRACT.filter(({ name }) => /field by field|misses|followed by another|a condition/.test(name)))(
    '$name',
    async ({ run }) => {
      const history = threadAt(':memory:');
      try {
        await run(history);
      } finally {
        await history.close();
      }
    },
  );

  it('does not hold up the thread that leads', async () => {
    const history = threadAt(join(folder, 'large.sqlite'));
    const rows = Array.from({ length: 10_000 }, (_, number) => instanceRow(`i-${number}`));
    const crawl = { crawl: '1-1', kind: 'instance' };
    for (let at = 0; at < rows.length; at += 100) await history.page(crawl, '', rows.slice(at, at + 100));
    let longestMs = 0;
    let lastMs = performance.now();
    const watch = setInterval(() => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }, 5);
    const startedAtMs = performance.now();
    await history.finish({ ...crawl, term: 1, writer: 'c1', atWallMs: 1, isComplete: true, detail: '', gapMs: 1 });
    const tookMs = performance.now() - startedAtMs;
    clearInterval(watch);
    await history.close();
    expect(tookMs).toBeGreaterThan(50);
    expect(longestMs).toBeLessThan(Math.max(100, tookMs / 2));
  });

  it('says why it cannot open a file, and opens it once it can', async () => {
    const history = threadAt(join(folder, 'late', 'history.sqlite'));
    await expect(history.standing()).rejects.toThrow(/CONFIG_INVALID.*late/);
    mkdirSync(join(folder, 'late'));
    await crawlOf(history, 100, [instanceRow('i-1')]);
    expect((await history.version('instance', 'i-1', null)).id).toBe('i-1');
    await history.close();
  });
});
