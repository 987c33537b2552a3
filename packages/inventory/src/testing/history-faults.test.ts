import { expect, it } from 'vitest';
import { SqlHistory } from '../store/sql-history.ts';
import { SqliteSql } from '../store/sqlite/sqlite-sql.ts';
import { crawlOf, instanceRow } from './crawls.ts';
import { historyFaults } from './history-faults.ts';

const stopped = { State: { Code: 80, Name: 'stopped' } };

/** `i-1` has two versions: 100-200, and 200-. */
async function setUp() {
  const sql = SqliteSql.open(':memory:');
  const history = await SqlHistory.over(sql);
  await crawlOf(history, 100, [instanceRow('i-1')]);
  await crawlOf(history, 200, [instanceRow('i-1', stopped), instanceRow('i-2')]);
  return sql;
}

it.each([
  ['an end before the beginning', 'valid_to = 50, last_seen = 20', 'ends before it begins'],
  ['two at once', 'valid_to = 250', 'is not over when the next one begins'],
  ['a gap', 'valid_to = 150', 'has changed, and what it was then is missing'],
  ['the same twice', "digest = (SELECT digest FROM inventory_versions WHERE id = 'i-1' AND valid_from = 200)", 'twice'],
  ['a sight of later', 'last_seen = 300', 'was last seen at 300'],
  ['no sight', 'last_seen = NULL', 'nobody knows'],
  ['no reason', 'end_reason = NULL', 'a time without an end'],
  ['another name', "id = 'i-3'", 'into what is missing'],
])('what a history may not have is found: %s', async (_, change, fault) => {
  const sql = await setUp();
  expect(await historyFaults(sql)).toEqual([]);
  await sql.all(`UPDATE inventory_versions SET ${change} WHERE id = 'i-1' AND valid_from = 100`);
  expect((await historyFaults(sql)).join()).toContain(fault);
  await sql.close();
});
