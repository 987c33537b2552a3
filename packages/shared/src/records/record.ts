import * as z from 'zod';
import { OperationError } from '../errors.ts';

/**
 * What every etcd value carries. `writeId` is fresh for each write attempt, so that a write whose reply was lost is recognised when it is
 * read back. Wall times are for people. Unknown fields are refused: a newer writer raises `schemaVersion`.
 */
export const recordBase = {
  schemaVersion: z.literal(1),
  writeId: z.string().min(1),
  writtenBy: z.string().min(1),
  writtenAtWallMs: z.number(),
};

export const MemberIdSchema = z.templateLiteral([z.string(), '/', z.string()]);

/** @throws RECORD_UNREADABLE naming the key and the first fault. */
export function parseRecord<T>(schema: z.ZodType<T>, key: string, value: string): T {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch (cause) {
    throw new OperationError('RECORD_UNREADABLE', `${key} is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new OperationError(
    'RECORD_UNREADABLE',
    `${key}: ${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'does not fit'}`,
    {
      cause: parsed.error,
    },
  );
}

export const serializeRecord = (record: object): string => JSON.stringify(record);

export type WrittenFields = { schemaVersion: 1; writeId: string; writtenBy: string; writtenAtWallMs: number };
/** A record's own content, without what the writer stamps on it. */
export type Unwritten<T> = Omit<T, keyof WrittenFields>;
