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
    await history.finish({
      ...crawl,
      term: 1,
      writer: 'c1',
      deeds: [],
      atWallMs: 1,
      rows: rows.length,
      isComplete: true,
      detail: '',
      gapMs: 1,
    });
    const tookMs = performance.now() - startedAtMs;
    clearInterval(watch);
    await history.close();
    expect(tookMs).toBeGreaterThan(50);
    expect(longestMs).toBeLessThan(Math.max(100, tookMs / 2));
  });

  it('answers a question for the largest documents without holding it up', async () => {
    const history = threadAt(':memory:');
    const tags = Array.from({ length: 45 }, (_, at) => ({ Key: `key-${at}`, Value: 'v'.repeat(200) }));
    const rows = Array.from({ length: 1_000 }, (_, number) => instanceRow(`i-${number + 1_000}`, { Tags: tags }));
    await crawlOf(history, 1, rows);
    const asked = { kind: 'instance', id: null, where: [], after: null, limit: 1_000 };
    let longestMs = 0;
    let lastMs = performance.now();
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 5);
    for (let times = 0; times < 5; times += 1) {
      const page = await history.versions({ ...asked, span: { kind: 'at', atWallMs: null } });
      expect(JSON.stringify(page).length).toBeLessThan(300_000);
    }
    clearInterval(watch);
    await history.close();
    // Three ticks of the loop are 750 ms. A busy machine has its share in what is measured.
    expect(longestMs).toBeLessThan(250);
  });

  it('refuses more questions than it can answer at once, and goes on', async () => {
    const history = threadAt(':memory:');
    await crawlOf(history, 1, [instanceRow('i-1')]);
    const many = await Promise.allSettled(Array.from({ length: 20 }, () => history.standing()));
    expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect((await history.version('instance', 'i-1', null)).id).toBe('i-1');
    await history.close();
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
