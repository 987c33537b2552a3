import * as z from 'zod';
import { OperationError } from '../errors.ts';
import { FEATURE_LEVEL } from '../feature-level.ts';
import { faultText } from '../schema-faults.ts';
import { isName } from '../member-id.ts';
import { parseKeeping } from './keep-unknown.ts';

/**
 * The fields of every etcd value. `writeId` is fresh for each write attempt, so that a write whose
 * reply was lost is recognised when it is read back. Wall times are for people. `docs/etcd-keys.md`
 * says when `schemaVersion` is raised.
 */
export const recordBase = {
  schemaVersion: z.literal(1),
  writeId: z.string().min(1),
  writtenBy: z.string().min(1),
  writtenAtWallMs: z.number(),
  /**
   * The feature level a coordinator must understand to act by this record. A lower one cannot read
   * it. Absent: any.
   */
  neededLevel: z.number().int().min(1).optional(),
};

export const MemberIdSchema = z.templateLiteral([z.string(), '/', z.string()]);

/** Where records of one kind lie, and which of their fields their key repeats. */
export interface Placement {
  /** First part of the key below the root. */
  readonly area: string;
  /** How many parts may follow it. */
  readonly parts: readonly number[];
  /** Fields a record under a key of these parts must have, with these values. */
  readonly says: (parts: readonly string[]) => Readonly<Record<string, string>>;
  /** Why no record may lie under a key of these parts. Null: one may. */
  readonly fault?: (parts: readonly string[]) => string | null;
  /** Set for records that people write: an unknown field is then a typing error. */
  readonly byHand?: true;
}

const placements = new WeakMap<z.ZodType, Placement>();

/**
 * The schema of records that lie in etcd, with its place. From then on {@link parseRecord} compares
 * key and record.
 */
export function placed<T extends z.ZodType>(schema: T, placement: Placement): T {
  placements.set(schema, placement);
  return schema;
}

/** A record is about the member its key names: `group/name` of parts 0 and 1. */
export const ofMember = ([group = '', name = '']: readonly string[]): { readonly member: string } => ({
  member: `${group}/${name}`,
});

/**
 * Parts of a key behind its area. Null when it does not lie there. The root may have any depth, so
 * the key is read from its end.
 */
function partsOf(key: string, { area, parts }: Placement): readonly string[] | null {
  const all = key.split('/');
  for (const count of parts.toSorted((a, b) => b - a)) {
    const at = all.length - count - 1;
    if (at >= 0 && all[at] === area) return all.slice(at + 1);
  }
  return null;
}

/**
 * **S** What is shown is what is used. A reader that goes by the key and one that looks into the
 * record must mean the same, so a record that contradicts its key is no record.
 */
function placementFault(key: string, record: unknown, placement: Placement): string | null {
  const parts = partsOf(key, placement);
  if (parts === null) return `is no key of ${placement.area}/`;
  const fault = placement.fault?.(parts) ?? null;
  if (fault !== null) return fault;
  const fields = typeof record === 'object' && record !== null ? new Map(Object.entries(record)) : new Map();
  for (const [field, expected] of Object.entries(placement.says(parts))) {
    const actual: unknown = fields.get(field);
    if (actual !== expected)
      return `${field} is ${JSON.stringify(actual)}, but the key says ${JSON.stringify(expected)}`;
  }
  return null;
}

/** Refuses names that no group or member can have: they are typing errors. */
export const namesOnly = (parts: readonly string[]): string | null => {
  const wrong = parts.find((part) => !isName(part));
  return wrong === undefined
    ? null
    : `${JSON.stringify(wrong)} is no group or member name (1-63 of a-z 0-9 . _ -, first a letter or digit)`;
};

const numberIn = (json: unknown, field: string): number => {
  const value: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, field) : null;
  return typeof value === 'number' ? value : 0;
};

/** Why a record is for newer builds only. Null: it is not. */
function newerThanWe(json: unknown): string | null {
  const [schemaVersion, neededLevel] = [numberIn(json, 'schemaVersion'), numberIn(json, 'neededLevel')];
  if (schemaVersion > 1) return `its schemaVersion is ${schemaVersion}, and this build reads 1: a newer build wrote it`;
  return neededLevel > FEATURE_LEVEL
    ? `it needs feature level ${neededLevel}, and this build understands ${FEATURE_LEVEL}: a newer build has to act by it`
    : null;
}

/** The issue of a union's first member, which is the one that is described in full. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  const [first] = issue.code === 'invalid_union' ? (issue.errors[0] ?? []) : [];
  return first ? innermost({ ...first, path: [...issue.path, ...first.path] }) : issue;
}

/**
 * Parses a record. Unknown fields are kept, so that writing the record again does not lose them,
 * except in what people write.
 * @throws RECORD_UNREADABLE naming the key and the first fault, where key and record disagree, or
 * where a record is for newer builds only.
 */
export function parseRecord<T>(schema: z.ZodType<T>, key: string, value: string): T {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch (cause) {
    throw new OperationError('RECORD_UNREADABLE', `${key} is not JSON`, { cause });
  }
  const unreadable = (fault: string, cause?: unknown) =>
    new OperationError('RECORD_UNREADABLE', `${key}: ${fault}`, cause === undefined ? {} : { cause });
  const newer = newerThanWe(json);
  if (newer !== null) throw unreadable(newer);
  const placement = placements.get(schema) ?? null;
  const parsed = placement?.byHand ? schema.safeParse(json) : parseKeeping(schema, json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0] && innermost(parsed.error.issues[0]);
    const fault = issue ? faultText(schema, issue) : 'does not fit';
    throw unreadable(`${issue?.path.join('.') || 'value'}: ${fault}`, parsed.error);
  }
  const fault = placement && placementFault(key, parsed.data, placement);
  if (fault !== null) throw unreadable(fault);
  return parsed.data;
}

export const serializeRecord = (record: object): string => JSON.stringify(record);

export type WrittenFields = { schemaVersion: 1; writeId: string; writtenBy: string; writtenAtWallMs: number };
/** A record's own content, without what the writer stamps on it. */
export type Unwritten<T> = Omit<T, keyof WrittenFields>;

/** The record's own content, as it would be written again: without the stamp of its last writer. */
export function unwritten<T extends WrittenFields>(record: T): Unwritten<T> {
  const { schemaVersion, writeId, writtenBy, writtenAtWallMs, ...content } = record;
  return content;
}
