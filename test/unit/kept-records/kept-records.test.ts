import { parseRecord, serializeRecord } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { describedFields, presentFields } from './fields.ts';
import { KEPT_DIGESTS, KEPT_FILES, RECORD_KINDS } from './kept-records.ts';

/** What nobody writes yet: the level belongs to the first record that takes a newer build. */
const NEVER_WRITTEN = new Set(['neededLevel']);

/** What one kind of record has from another: the kept records of that one show it. */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = { preparation: 'plan.' };

const keptOf = (kind: string) => KEPT_FILES.filter((file) => file.kind === kind).flatMap(({ records }) => records);

describe('a kept record', () => {
  it('is there for every kind of record', () => {
    const kinds = RECORD_KINDS.map(({ kind }) => kind);
    expect(kinds).toContain('activation');
    expect(kinds.filter((kind) => keptOf(kind).length === 0)).toEqual([]);
  });

  it('is of a kind that there is', () => {
    const kinds = new Set(RECORD_KINDS.map(({ kind }) => kind));
    expect(KEPT_FILES.filter(({ kind }) => !kinds.has(kind)).map(({ name }) => name)).toEqual([]);
  });

  it('is never edited: a change of the format adds a file', () => {
    expect(Object.fromEntries(KEPT_FILES.map(({ name, digest }) => [name, digest]))).toEqual(KEPT_DIGESTS);
  });

  it.each(KEPT_FILES.map((file) => [file.name, file] as const))('%s says its own schemaVersion', (_, file) => {
    expect(file.records.map(({ record }) => record.schemaVersion)).toEqual(file.records.map(() => file.schemaVersion));
  });
});

describe.each(RECORD_KINDS.map((one) => [one.kind, one.schema] as const))('a kept %s record', (kind, schema) => {
  const kept = keptOf(kind);

  it.each(kept)('$key is read today, and loses nothing that it held', ({ key, record }) => {
    const read = parseRecord(schema, key, JSON.stringify(record));
    expect(JSON.parse(serializeRecord(read))).toMatchObject(record);
  });

  it.each(kept)('$key has no field that is not known any more', ({ record }) => {
    expect(schema.safeParse(record).error?.issues ?? []).toEqual([]);
  });

  it('shows every field that there is, so that a new field comes with a record that has it', () => {
    const shown = new Set(kept.flatMap(({ record }) => presentFields(record)));
    const elsewhere = SHOWN_ELSEWHERE[kind];
    const missing = describedFields(schema)
      .filter((path) => !shown.has(path) && !NEVER_WRITTEN.has(path))
      .filter((path) => elsewhere === undefined || !path.startsWith(elsewhere));
    expect([...new Set(missing)]).toEqual([]);
  });
});
