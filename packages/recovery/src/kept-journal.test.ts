import { JournalRecordSchema, type JournalRecord } from '@understudy/shared';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { readStepId } from './core/step-id.ts';
import { readEntry } from './journal.ts';
import { REGISTERED } from './registered.ts';
import { stepsOf } from './registry.ts';

/** Journals that are kept for good: see `docs/etcd-keys.md`. */
const FOLDER = join(import.meta.dirname, '../../../test/fixtures/records');
const KeptSchema = z.array(z.object({ record: JournalRecordSchema }));
const KEPT: readonly JournalRecord[] = readdirSync(FOLDER)
  .filter((name) => name.startsWith('journal.'))
  .flatMap((name) => KeptSchema.parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))))
  .map(({ record }) => record);

const stepOf = (record: JournalRecord) =>
  stepsOf(REGISTERED).find((one) => one.record.name === readStepId(record.step).name);

/** The journal goes when one of these steps ends. */
const LAST: readonly string[] = ['done', 'mend'];

it('every step has kept records, begun and ended', () => {
  const kept = new Set(KEPT.map((record) => `${readStepId(record.step).name} ${record.state}`));
  const wanted = stepsOf(REGISTERED).flatMap(({ record: { name } }) =>
    LAST.includes(name) ? [`${name} started`] : [`${name} started`, `${name} done`],
  );
  expect(wanted.filter((one) => !kept.has(one))).toEqual([]);
});

it.each(KEPT.map((record) => [`${record.step} (${record.state})`, record] as const))(
  'the kept record of %s is understood today, and loses nothing',
  (_, record) => {
    const step = stepOf(record);
    if (step === undefined) throw new Error(`no step is called ${record.step}`);
    const { request, noted, sends, result } = readEntry(step.record, record);
    const open = record.state === 'started';
    if (record.request) expect(request).toMatchObject(record.request);
    if (record.result) expect(open ? { sends, ...(noted !== null && { noted }) } : result).toMatchObject(record.result);
  },
);
