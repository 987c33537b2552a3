import { type InventoryHistory, SqlHistory, SqliteSql } from '@understudy/inventory';
import { crawlOf, instanceRow } from '@understudy/inventory/testing';
import { type HistoryRecord, InventoryRecoverySchema, OperationError, ProblemDetailsSchema } from '@understudy/shared';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiSource } from '../api-source.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';

afterEach(closeServers);

const stopped = { State: { Code: 80, Name: 'stopped' } };

async function served(inventory: InventoryHistory | null) {
  const status = () => ({ coordinatorId: 'c1' }) as ReturnType<ApiSource['status']>;
  const { url } = await serveApi({ api: { inventory, status, leader: () => 'self' } });
  return async (path: string) => {
    const reply = await fetch(`${url}/v1/inventory${path}`);
    const body: Body = JSON.parse(await reply.text());
    return { status: reply.status, body };
  };
}

/** Two instances; the first one stops at 200, the second is gone since 200. */
async function kept() {
  const history = await SqlHistory.over(SqliteSql.open(':memory:'));
  await crawlOf(history, 100, [instanceRow('i-1'), instanceRow('i-2')]);
  for (const atWallMs of [200, 300]) await crawlOf(history, atWallMs, [instanceRow('i-1', stopped)]);
  return history;
}

/** As far as a test looks into it. */
interface Body {
  readonly versions?: readonly { readonly id: string; readonly validFromWallMs: number }[];
  readonly differences?: readonly {
    readonly id: string;
    readonly change: string;
    readonly fields: readonly object[];
  }[];
  readonly next?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
}

const ids = ({ body }: { body: Body }) => body.versions?.map(({ id, validFromWallMs }) => `${id} ${validFromWallMs}`);

describe('GET /v1/inventory', () => {
  it('says that none is kept', async () => {
    const get = await served(null);
    expect(await get('')).toMatchObject({ status: 404, body: { code: 'INVENTORY_OFF' } });
    expect(await get('/instance')).toMatchObject({ status: 404, body: { code: 'INVENTORY_OFF' } });
  });

  it('has each kind, whose history it is, and how the last crawl went', async () => {
    const get = await served(await kept());
    expect(await get('')).toMatchObject({
      status: 200,
      body: {
        coordinatorId: 'c1',
        kinds: [
          { kind: 'instance', current: 1, versions: 3, outcome: 'complete' },
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
        ],
      },
    });
  });

  it('lists at a time, of a range, what changed in it, and by any field', async () => {
    const get = await served(await kept());
    expect(ids(await get('/instance'))).toEqual(['i-1 200']);
    expect(ids(await get('/instance?at=1970-01-01T00:00:00.150Z'))).toEqual(['i-1 100', 'i-2 100']);
    expect(ids(await get('/instance?since=150'))).toEqual(['i-1 100', 'i-1 200', 'i-2 100']);
    expect(ids(await get('/instance?since=150&of=changed'))).toEqual(['i-1 200', 'i-2 100']);
    expect(ids(await get('/instance?at=150&where=InstanceId%3Di-2&where=State.Name~run'))).toEqual(['i-2 100']);
  });

  it('gives pages', async () => {
    const get = await served(await kept());
    const first = await get('/instance?at=150&limit=1');
    expect(ids(first)).toEqual(['i-1 100']);
    expect(ids(await get(`/instance?at=150&limit=1&cursor=${first.body.next}`))).toEqual(['i-2 100']);
  });

  it('tells what is gone from what was never known', async () => {
    const get = await served(await kept());
    expect(await get('/instance/version?id=i-2&at=150')).toMatchObject({
      status: 200,
      body: { id: 'i-2', end: 'gone' },
    });
    expect(await get('/instance/version?id=i-2')).toMatchObject({ status: 410, body: { code: 'INVENTORY_GONE' } });
    expect(await get('/instance/version?id=i-3')).toMatchObject({ status: 404, body: { code: 'INVENTORY_UNKNOWN' } });
  });

  it('compares two times', async () => {
    const get = await served(await kept());
    const { body } = await get('/instance/differences?from=100');
    expect(body.differences?.map((one) => `${one.id} ${one.change}`)).toEqual([...['i-1 changed', 'i-2 gone']]);
    expect(body.differences?.[0]?.fields).toContainEqual({ path: 'State.Name', before: 'running', after: 'stopped' });
  });

  it('has the forensic record of the last recovery of a member, and of one that is named', async () => {
    const id = (number: number) => `i-${number.toString(16).padStart(17, '0')}`;
    const history = await SqlHistory.over(SqliteSql.open(':memory:'));
    await crawlOf(history, 100, [instanceRow(id(1), { InstanceType: 'm6g.large' })]);
    await crawlOf(history, 300, [instanceRow(id(1), stopped), instanceRow(id(2), { InstanceType: 'm7g.large' })]);
    const ended = { opId: 'r1', oldInstanceId: id(1), newInstanceId: id(2), startedAtWallMs: 200 } as HistoryRecord;
    const { url } = await serveApi({ api: { inventory: history, history: () => [ended], leader: () => 'self' } });
    const get = async (path: string) => {
      const reply = await fetch(`${url}/v1/members/db/one/inventory${path}`);
      return { status: reply.status, body: InventoryRecoverySchema.or(ProblemDetailsSchema).parse(await reply.json()) };
    };
    expect(await get('')).toMatchObject({
      status: 200,
      body: { member: 'db/one', opId: 'r1', before: { id: id(1), validFromWallMs: 100 }, now: { id: id(2) } },
    });
    expect((await get('?opId=r1')).body).toMatchObject({
      fields: expect.arrayContaining([{ path: 'InstanceType', before: 'm6g.large', after: 'm7g.large' }]),
    });
    expect(await get('?opId=r2')).toMatchObject({ status: 404, body: { code: 'RECOVERY_UNKNOWN' } });
  });

  it.each([
    '/cupboard',
    '/instance?where=nonsense',
    '/instance?at=yesterday',
    '/instance?at=1&since=2',
    '/instance?where=a~(',
  ])('refuses %s', async (path) => {
    expect(await (await served(await kept()))(path)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  });

  it('says that its database does not answer', async () => {
    const standing = () => Promise.reject(new OperationError('INVENTORY_STORE_UNAVAILABLE', 'disk gone'));
    const get = await served({ standing } as unknown as InventoryHistory);
    const { status, body } = await get('');
    expect([status, body.code, body.detail, body.retryable]).toEqual([503, 'INVENTORY_UNAVAILABLE', 'disk gone', true]);
  });
});
