import { RecentRows } from '@understudy/aws';
import type { CrawlReport, InventoryHistory } from '@understudy/inventory';
import { type Cloud, OperationError, type Term } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { CrawlCounts } from '../../inventory/inventory-keeping.ts';
import { InventoryJob } from './inventory.ts';

const REPORT: CrawlReport = {
  ...{ outcome: 'complete', detail: '', seen: 1, opened: 0, changed: 0, gone: 0, missed: 0 },
};
const EVERY_MS = 120_000;
const DAY_MS = 86_400_000;

/** What becomes of a crawl of this kind. */
type Answers = (kind: string) => CrawlReport | Error;

function scene(
  answers: Answers = () => REPORT,
  hostedZones: readonly string[] = [],
  passes = 1,
  targetGroups: readonly string[] = [],
) {
  const clock = new SimClock();
  const log = new RecordingLog();
  const crawled: string[] = [];
  const heard: unknown[] = [];
  const compacted: unknown[] = [];
  const recent = new RecentRows(clock, 1);
  const counts = new CrawlCounts();
  const term = new AbortController();
  const job = new InventoryJob({
    ...{ clock, log, deeds: { recent: () => [{ id: 'i-1', atWallMs: 1, by: 'ann' }] } },
    keeping: {
      counts,
      recent,
      seen: {} as Cloud,
      settings: {
        everyMs: EVERY_MS,
        keptMs: DAY_MS,
        versionsMax: 1_000,
        hostedZones: [...hostedZones],
        targetGroups: [...targetGroups],
      },
      history: {
        compact: async (...asked: unknown[]) => {
          compacted.push(asked);
          return { removed: 3, isMore: compacted.length < passes };
        },
      } as unknown as InventoryHistory,
      crawler: {
        crawl: async ({ name }, by, _, deedsOf) => {
          heard.push([name, deedsOf?.(name).length]);
          crawled.push(`${name} ${by.term} ${by.writer}`);
          const answer = answers(name);
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
    },
  });
  const run = () => job.run({ number: 7, coordinatorId: 'c1', signal: term.signal } as Term);
  return { clock, log, heard, crawled, compacted, counts, term, job, run };
}

describe('the job that keeps the inventory', () => {
  it('crawls every kind in the name of its term, and records only where zones are named', async () => {
    const { crawled, run, job } = scene();
    await run();
    expect(crawled).toEqual(
      [
        'instance',
        'volume',
        'snapshot',
        'interface',
        'address',
        'security-group',
        'subnet',
        'image',
        'target-group',
      ].map((kind) => `${kind} 7 c1`),
    );
    expect([job.everyMs, job.remarks()]).toEqual([EVERY_MS, []]);
    const zoned = scene(() => REPORT, ['Z1']);
    await zoned.run();
    expect(zoned.crawled.at(-1)).toBe('record 7 c1');
    const balanced = scene(() => REPORT, [], 1, ['arn']);
    await balanced.run();
    expect(balanced.crawled.at(-1)).toBe('target 7 c1');
  });

  it('tells what changed, and nothing where nothing did', async () => {
    const { run, log, counts } = scene((kind) => (kind === 'volume' ? { ...REPORT, opened: 2, gone: 1 } : REPORT));
    await run();
    expect(log.lines.filter(({ event }) => event === 'inventory.changed')).toMatchObject([
      { fields: { kind: 'volume', opened: 2, changed: 0, gone: 1, term: 7 } },
    ]);
    expect([...counts.crawls, ...counts.versions]).toEqual([
      ['complete', 9],
      ['opened', 2],
      ['changed', 0],
      ['gone', 1],
    ]);
  });

  it('remarks on a kind that is not complete, until it is', async () => {
    let denied = true;
    const { run, job } = scene((kind) =>
      denied && kind === 'image' ? { ...REPORT, outcome: 'partial', detail: 'CLOUD_DENIED: no' } : REPORT,
    );
    await run();
    expect(job.remarks()).toMatchObject([{ code: 'INVENTORY_INCOMPLETE', text: 'image: CLOUD_DENIED: no' }]);
    denied = false;
    await run();
    expect(job.remarks()).toEqual([]);
  });

  it('keeps the leader from nothing when its database fails, and goes on with the next round', async () => {
    let broken = true;
    const { run, job, log } = scene(() =>
      broken ? new OperationError('INVENTORY_STORE_UNAVAILABLE', 'disk full') : REPORT,
    );
    await run();
    expect(job.remarks()).toMatchObject([{ code: 'INVENTORY_STORE_UNAVAILABLE', text: /disk full/ }]);
    expect(log.events()).toContain('inventory.failed');
    broken = false;
    await run();
    expect(job.remarks()).toEqual([]);
  });

  it('tells the history who was heard to change instances', async () => {
    const { run, heard } = scene();
    await run();
    expect(heard.slice(0, 2)).toEqual([
      ['instance', 1],
      ['volume', 0],
    ]);
  });

  it('ends with its term', async () => {
    const { run, term, job } = scene(() => new OperationError('LEASE_LOST', 'over'));
    term.abort(new OperationError('LEASE_LOST', 'over'));
    await expect(run()).rejects.toThrow('LEASE_LOST');
    expect(job.remarks()).toEqual([]);
  });

  it('sees to retention every ten minutes', async () => {
    const { run, compacted, clock } = scene();
    await run();
    await run();
    expect(compacted).toEqual([
      [expect.objectContaining({ keptMs: DAY_MS }), { term: 7, writer: 'c1' }, clock.wallMs()],
    ]);
    await clock.advance(600_000);
    await run();
    expect(compacted).toHaveLength(2);
  });

  it('removes all that is too old, however much has come', async () => {
    const { run, compacted, log } = scene(undefined, [], 7);
    await run();
    expect(compacted).toHaveLength(7);
    expect(log.linesOf('inventory.compacted')).toMatchObject([{ fields: { removed: 21 } }]);
  });
});
