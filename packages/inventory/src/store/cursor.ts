import { OperationError } from '@understudy/shared';

/** The last version of a page, by what versions are ordered. */
export interface Place {
  readonly id: string;
  readonly validFromWallMs: number;
}

export const START: Place = { id: '', validFromWallMs: -1 };

export const cursorOf = ({ id, validFromWallMs }: Place): string =>
  Buffer.from(JSON.stringify([id, validFromWallMs]), 'utf8').toString('base64url');

/** @throws INVENTORY_QUERY_INVALID */
export function placeOf(cursor: string | null): Place {
  if (cursor === null) return START;
  try {
    const made: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [id, validFromWallMs]: unknown[] = Array.isArray(made) ? made : [];
    if (typeof id === 'string' && typeof validFromWallMs === 'number') return { id, validFromWallMs };
  } catch {
    // It is said below.
  }
  throw new OperationError('INVENTORY_QUERY_INVALID', 'after: want what the page before said as "next", as it is');
}
