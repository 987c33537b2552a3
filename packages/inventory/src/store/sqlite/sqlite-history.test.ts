import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crawlOf, instanceRow } from '../../testing/crawls.ts';
import { HISTORY_CONTRACT } from '../../testing/history-contract.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/registered.ts';
import { SqlHistory } from '../sql-history.ts';
import { SqliteSql } from './sqlite-sql.ts';

const folder = mkdtempSync(join(tmpdir(), 'inventory-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a history in SQLite', () => {
  it.each(HISTORY_CONTRACT)('$name', async ({ run }) => {
    const history = await SqlHistory.over(SqliteSql.open(':memory:'));
    await run(history);
    await history.close();
  });

  it('is in a file that others cannot read, and is there after a restart', async () => {
    const file = join(folder, 'history.sqlite');
    const before = await SqlHistory.over(SqliteSql.open(file));
    await crawlOf(before, 100, [instanceRow('i-1')]);
    await before.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const after = await SqlHistory.over(SqliteSql.open(file));
    expect((await after.version('instance', 'i-1', null)).validFromWallMs).toBe(100);
    await after.close();
  });

  it('says which file it cannot open', () => {
    expect(() => SqliteSql.open(join(folder, 'no', 'such.sqlite'))).toThrow(/CONFIG_INVALID.*such\.sqlite/);
  });

  it('refuses a schema of a newer build, and a step that is not what it was', async () => {
    const sql = SqliteSql.open(':memory:');
    await migrate(sql);
    await migrate(sql);
    const [first] = MIGRATIONS;
    const statements = { sqlite: ['CREATE TABLE another (x)'], postgres: [] };
    const next = { number: 99, name: 'next', statements };
    await migrate(sql, [...MIGRATIONS, next]);
    await expect(migrate(sql)).rejects.toThrow('newer build has migrated the history to step 99');
    const changed = { number: 1, name: 'versions', statements };
    await expect(migrate(sql, [changed, next])).rejects.toThrow('step 1 (versions) of the schema is not the one');
    expect(first?.number).toBe(1);
    await sql.close();
  });

  it('does a migration as a whole or not at all', async () => {
    const sql = SqliteSql.open(':memory:');
    const broken = {
      number: 1,
      name: 'broken',
      statements: { sqlite: ['CREATE TABLE half (x)', 'NONSENSE'], postgres: [] },
    };
    await expect(migrate(sql, [broken])).rejects.toThrow('INVENTORY_STORE_UNAVAILABLE');
    expect(await sql.all("SELECT name FROM sqlite_master WHERE name = 'half'")).toEqual([]);
    await sql.close();
  });

  it('writes a crawl as a whole or not at all, and goes on after it', async () => {
    const sql = SqliteSql.open(':memory:');
    await expect(
      sql.transaction(async (inside) => {
        await inside.all('CREATE TABLE half (x)');
        throw new Error('cut off');
      }),
    ).rejects.toThrow('cut off');
    expect(await sql.all("SELECT name FROM sqlite_master WHERE name = 'half'")).toEqual([]);
    await sql.close();
  });
});
