import type { Migration } from './migration.ts';

/** Ids are compared byte by byte, whatever the database's language is. */
const statements = (id: string, document: string): readonly string[] => [
  `CREATE TABLE inventory_versions (
    kind TEXT NOT NULL,
    id ${id} NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    last_seen BIGINT,
    end_reason TEXT,
    missed_count INTEGER NOT NULL,
    missed_since BIGINT,
    digest TEXT NOT NULL,
    is_tagged INTEGER NOT NULL,
    has_ended INTEGER NOT NULL,
    crawl TEXT NOT NULL,
    changed_by TEXT,
    document ${document} NOT NULL
  )`,
  // It answers every question about a time without a look at a document that is not wanted.
  `CREATE UNIQUE INDEX inventory_versions_span ON inventory_versions (kind, id, valid_from, valid_to)`,
  // There is one current version of a resource, whoever writes.
  `CREATE UNIQUE INDEX inventory_versions_current ON inventory_versions (kind, id) WHERE valid_to IS NULL`,
  `CREATE INDEX inventory_versions_ended ON inventory_versions (valid_to) WHERE valid_to IS NOT NULL`,
  `CREATE TABLE inventory_kinds (
    kind TEXT PRIMARY KEY,
    last_at BIGINT NOT NULL,
    last_complete BIGINT,
    refused_count INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    seen INTEGER NOT NULL
  )`,
  `CREATE TABLE inventory_coverage (
    kind TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    PRIMARY KEY (kind, from_at)
  )`,
  `CREATE TABLE inventory_writer (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    term BIGINT NOT NULL,
    writer TEXT NOT NULL
  )`,
];

export const versions: Migration = {
  number: 1,
  name: 'versions',
  statements: { sqlite: statements('TEXT', 'BLOB'), postgres: statements('TEXT COLLATE "C"', 'JSON') },
};
