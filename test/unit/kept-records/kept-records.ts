import * as shared from '@understudy/shared';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** Records that are kept for good: `<kind>.v<schemaVersion>.<number>.json`, and `digests.json`. */
export const FOLDER = join(import.meta.dirname, '../../fixtures/records');
const DIGESTS = 'digests.json';

export interface RecordKind {
  /** The name of its schema without `RecordSchema`, with dashes: `operator-request`. */
  readonly kind: string;
  readonly schema: z.ZodObject;
}

const dashed = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

/** Every kind of record that lies in etcd: a new one is among them as soon as it is exported. */
export const RECORD_KINDS: readonly RecordKind[] = Object.entries(shared).flatMap(([name, schema]) => {
  const [, kind] = /^(\w+)RecordSchema$/.exec(name) ?? [];
  return kind !== undefined && schema instanceof z.ZodObject ? [{ kind: dashed(kind), schema }] : [];
});

const KeptSchema = z.array(z.strictObject({ key: z.string(), record: z.looseObject({ schemaVersion: z.number() }) }));
export type Kept = z.infer<typeof KeptSchema>[number];

export interface KeptFile {
  readonly name: string;
  readonly kind: string;
  readonly schemaVersion: number;
  readonly records: readonly Kept[];
  /** SHA-256 of its bytes, hex. */
  readonly digest: string;
}

function keptFile(name: string): KeptFile {
  const bytes = readFileSync(join(FOLDER, name));
  const [, kind = '', version = ''] = /^([a-z-]+)\.v(\d+)\.\d+\.json$/.exec(name) ?? [];
  return {
    name,
    kind,
    schemaVersion: Number(version),
    records: KeptSchema.parse(JSON.parse(bytes.toString())),
    digest: createHash('sha256').update(bytes).digest('hex'),
  };
}

export const KEPT_FILES: readonly KeptFile[] = readdirSync(FOLDER)
  .filter((name) => name !== DIGESTS)
  .map(keptFile);

/** File name to digest, as of when the file was kept. */
export const KEPT_DIGESTS: Readonly<Record<string, string>> = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync(join(FOLDER, DIGESTS), 'utf8')));
