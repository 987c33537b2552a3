/** Every version of what a fleet is made of. */
export { KINDS, kindNamed } from './core/kinds/registered.ts';
export type { Kind } from './core/kinds/kind.ts';
export { parseCondition } from './core/condition.ts';
export type { Version } from './core/version.ts';
export { type ForensicRecord, forensicRecord } from './forensic-record.ts';
export { Crawler } from './crawl/crawler.ts';
export { untilAborted } from './crawl/until-aborted.ts';
export type * from './history.ts';
export { SqlHistory } from './store/sql-history.ts';
export { type PostgresPlace, PostgresSql } from './store/postgres/postgres-sql.ts';
export { SqliteSql } from './store/sqlite/sqlite-sql.ts';
export { HistoryThread } from './thread/history-thread.ts';
export type { HistoryPlace } from './thread/messages.ts';
