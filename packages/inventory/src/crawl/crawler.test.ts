import { OperationError, type Raw, type ResourcePages } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { kindNamed } from '../core/kinds/registered.ts';
import type { Kind, Scopes } from '../core/kinds/kind.ts';
import { SqlHistory } from '../store/sql-history.ts';
import { SqliteSql } from '../store/sqlite/sqlite-sql.ts';
import { instanceRow } from '../testing/crawls.ts';
import { Crawler } from './crawler.ts';

const BY = { term: 1, writer: 'c1' };
const PACE_MS = 250;

const kind = (name: string): Kind => {
  const found = kindNamed(name);
  if (found === null) throw new Error(name);
  return found;
};

/** Pages as given; an error where one is. Counts what is asked for. */
function setUp(listings: readonly (readonly (readonly Raw[] | Error)[])[]) {
  const clock = new SimClock();
  const asked: unknown[] = [];
  const pages: ResourcePages = {
    async *pages({ input }) {
      const listing = listings[asked.length] ?? [];
      asked.push(input);
      for (const page of listing) {
        if (page instanceof Error) throw page;
        yield page;
      }
    },
  };
  return { clock, pages, asked };
}

async function setUpCrawler(listings: Parameters<typeof setUp>[0], scopes: Partial<Scopes> = {}) {
  const parts = setUp(listings);
  const history = await SqlHistory.over(SqliteSql.open(':memory:'));
  const { clock, pages } = parts;
  const all = { 'hosted-zone': [], 'target-group': [], ...scopes };
  const crawler = new Crawler({ pages, history, clock, paceMs: PACE_MS, gapMs: 1_000, scopes: all });
  const signal = new AbortController();
  const crawl = (name: string) => clock.runUntilSettled(crawler.crawl(kind(name), BY, signal.signal));
  return { ...parts, history, crawl, signal };
}

const throttled = new OperationError('CLOUD_THROTTLED', 'DescribeInstances: slow down');

describe('a crawl', () => {
  it('reads page after page at its pace', async () => {
    const { crawl, clock } = await setUpCrawler([[[instanceRow('i-1')], [instanceRow('i-2')], []]]);
    const startedAtMs = clock.monotonicMs();
    expect(await crawl('instance')).toMatchObject({ outcome: 'complete', seen: 2, opened: 2 });
    expect(clock.monotonicMs() - startedAtMs).toBeGreaterThanOrEqual(3 * PACE_MS);
  });

  it('is partial when a page fails, and nothing is taken for gone, however often', async () => {
    const one = [instanceRow('i-1')];
    const { crawl, history } = await setUpCrawler([[[...one, instanceRow('i-2')]], [one, throttled], [one, throttled]]);
    await crawl('instance');
    for (let times = 0; times < 2; times += 1)
      expect(await crawl('instance')).toMatchObject({ outcome: 'partial', gone: 0, missed: 0, detail: /slow down/ });
    expect((await history.version('instance', 'i-2', null)).id).toBe('i-2');
  });

  it('lists the records of each zone, and is partial when one of them fails', async () => {
    const row = { Name: 'db.example.', Type: 'A', TTL: 60 };
    const denied = new OperationError('CLOUD_DENIED', 'ListResourceRecordSets: no');
    const { crawl, asked, history } = await setUpCrawler([[[row]], [denied]], { 'hosted-zone': ['Z1', 'Z2'] });
    expect(await crawl('record')).toMatchObject({ outcome: 'partial', seen: 1, detail: /^Z2: CLOUD_DENIED/ });
    expect(asked).toEqual([{ HostedZoneId: 'Z1' }, { HostedZoneId: 'Z2' }]);
    expect((await history.version('record', 'Z1/db.example./A', null)).document.TTL).toBe(60);
  });

  it('lists who is registered in each target group, until it is taken out, however healthy it is', async () => {
    const row = (Id: string, State: string) => ({ Target: { Id, Port: 80 }, TargetHealth: { State } });
    const first = [row('i-1', 'initial'), row('i-2', 'healthy')];
    const later = [row('i-1', 'unhealthy'), row('i-2', 'draining')];
    const { crawl, asked, history } = await setUpCrawler([[first], [later], [later], [later]], {
      'target-group': ['g'],
    });
    expect(await crawl('target')).toMatchObject({ outcome: 'complete', seen: 2, opened: 2 });
    for (let times = 0; times < 3; times += 1) expect(await crawl('target')).toMatchObject({ opened: 0, changed: 0 });
    expect(asked[0]).toEqual({ TargetGroupArn: 'g' });
    expect((await history.version('target', 'g/i-1:80', null)).validToWallMs).toBeNull();
    await expect(history.version('target', 'g/i-2:80', null)).rejects.toThrow('INVENTORY_GONE');
  });

  it('writes nothing once the term is over', async () => {
    const { crawl, signal, history } = await setUpCrawler([[[instanceRow('i-1')], [instanceRow('i-2')]]]);
    signal.abort(new OperationError('LEASE_LOST', 'the term is over'));
    await expect(crawl('instance')).rejects.toThrow('LEASE_LOST');
    await expect(history.version('instance', 'i-1', null)).rejects.toThrow('INVENTORY_UNKNOWN');
  });

  it('does not take a fault of the history for one of the listing', async () => {
    const { crawl, history } = await setUpCrawler([[[instanceRow('i-1')]]]);
    await history.close();
    await expect(crawl('instance')).rejects.toThrow('INVENTORY_STORE_UNAVAILABLE');
  });
});
