import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crawlOf, instanceRow } from '../../testing/crawls.ts';
import { HISTORY_CONTRACT } from '../../testing/history-contract.ts';
import { missingPostgres, PrivatePostgres } from '../../testing/private-postgres.ts';
import { MIGRATIONS } from '../migrations/registered.ts';
import { migrate } from '../migrate.ts';
import { SqlHistory } from '../sql-history.ts';
import { assertNewest } from '../writer-guard.ts';
import { type PostgresPlace, PostgresSql } from './postgres-sql.ts';

const missing = missingPostgres();
if (missing !== null) process.stderr.write(`${missing}: the history is not tested with it\n`);

const stopped = { State: { Code: 80, Name: 'stopped' } };

describe.skipIf(missing !== null)('a history in PostgreSQL', () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await PrivatePostgres.start();
  });
  afterAll(() => server.stop());

  const empty = (): Promise<PostgresPlace> =>
    server.create(async (place, statement) => {
      const sql = new PostgresSql(place);
      await sql.all(statement);
      await sql.close();
    });

  it.each(HISTORY_CONTRACT)('$name', async ({ run }) => {
    const history = await SqlHistory.over(new PostgresSql(await empty()));
    await run(history);
    await history.close();
  });

  it('is migrated once, however many coordinators begin at the same time', async () => {
    const place = await empty();
    const sqls = Array.from({ length: 5 }, () => new PostgresSql(place));
    await Promise.all(sqls.map((sql) => SqlHistory.over(sql)));
    const [first] = sqls;
    const rows = await first?.all('SELECT number FROM inventory_migrations');
    expect(rows).toHaveLength(MIGRATIONS.length);
    await Promise.all(sqls.map((sql) => sql.close()));
  });

  it('is migrated as a whole by the next one where a coordinator ends in the middle', async () => {
    const place = await empty();
    const [ends, next] = [new PostgresSql(place), new PostgresSql(place)];
    const cut = ['CREATE TABLE half (x INTEGER)', 'SELECT pg_terminate_backend(pg_backend_pid())'];
    const broken = { number: 2, name: 'cut off', statements: { sqlite: [], postgres: cut } };
    const ended = migrate(ends, [...MIGRATIONS, broken]);
    const [history] = await Promise.all([
      ended.catch(() => undefined).then(() => SqlHistory.over(next)),
      expect(ended).rejects.toThrow('INVENTORY_STORE_UNAVAILABLE'),
    ]);
    expect(await next.all("SELECT tablename FROM pg_tables WHERE tablename = 'half'")).toEqual([]);
    expect(await next.all('SELECT number FROM inventory_migrations')).toHaveLength(MIGRATIONS.length);
    await Promise.all([ends.close(), history.close()]);
  });

  it('is one for all coordinators: what one of them wrote, the others read', async () => {
    const place = await empty();
    const [one, two] = [await SqlHistory.over(new PostgresSql(place)), await SqlHistory.over(new PostgresSql(place))];
    await crawlOf(one, 100, [instanceRow('i-1')], { term: 5, writer: 'c1' });
    await crawlOf(two, 200, [instanceRow('i-1', stopped)], { term: 6, writer: 'c2' });
    expect((await one.version('instance', 'i-1', 150)).document.State).toEqual({ Code: 16, Name: 'running' });
    expect((await one.version('instance', 'i-1', null)).validFromWallMs).toBe(200);
    const late = crawlOf(one, 300, [instanceRow('i-1')], { term: 5, writer: 'c1' });
    await expect(late).rejects.toThrow('INVENTORY_SUPERSEDED');
    await Promise.all([one.close(), two.close()]);
  });

  it('keeps a successor waiting for a leader that writes, and neither corrupts the other', async () => {
    const place = await empty();
    const [old, fresh] = [new PostgresSql(place), new PostgresSql(place)];
    const successor = await SqlHistory.over(fresh);
    const paused = Promise.withResolvers<void>();
    const order: string[] = [];
    const writes = old.transaction(async (sql) => {
      await assertNewest(sql, old.dialect, { term: 5, writer: 'c1' });
      await paused.promise;
      order.push('old');
    });
    await expect
      .poll(async () => (await fresh.all("SELECT 1 FROM pg_locks WHERE mode = 'RowShareLock'")).length)
      .toBeGreaterThan(0);
    const waits = crawlOf(successor, 200, [instanceRow('i-1')], { term: 6, writer: 'c2' }).then(() =>
      order.push('new'),
    );
    await expect
      .poll(async () => (await fresh.all('SELECT 1 FROM pg_locks WHERE NOT granted')).length)
      .toBeGreaterThan(0);
    paused.resolve();
    await Promise.all([writes, waits]);
    expect(order).toEqual(['old', 'new']);
    const again = old.transaction((sql) => assertNewest(sql, old.dialect, { term: 5, writer: 'c1' }));
    await expect(again).rejects.toThrow('INVENTORY_SUPERSEDED');
    await Promise.all([old.close(), successor.close()]);
  });

  it('ends the transaction of a leader that is paused inside it', async () => {
    const place = await empty();
    const sql = new PostgresSql(place);
    await SqlHistory.over(sql);
    const [row] = await sql.all('SHOW idle_in_transaction_session_timeout');
    expect(row?.idle_in_transaction_session_timeout).toBe('10s');
    const written = sql.transaction(async (inside) => {
      await assertNewest(inside, sql.dialect, { term: 5, writer: 'c1' });
      const [{ pid } = { pid: 0 }] = await inside.all('SELECT pg_backend_pid() AS pid');
      // What the server does when the time is over.
      await sql.all('SELECT pg_terminate_backend($1)', [Number(pid)]);
      await inside.all("UPDATE inventory_writer SET writer = 'late'");
    });
    await expect(written).rejects.toThrow('INVENTORY_STORE_UNAVAILABLE');
    expect(await sql.all('SELECT * FROM inventory_writer')).toEqual([]);
    await sql.close();
  });

  it('says that nobody answers', async () => {
    const nobody = new PostgresSql({ ...server.place(), host: '/nonexistent' });
    await expect(nobody.all('SELECT 1')).rejects.toThrow(/INVENTORY_STORE_UNAVAILABLE: PostgreSQL: /);
    await expect(nobody.transaction(async () => undefined)).rejects.toThrow('INVENTORY_STORE_UNAVAILABLE');
    await nobody.close();
  });
});
