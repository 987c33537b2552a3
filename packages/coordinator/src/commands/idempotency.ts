import { createHash } from 'node:crypto';
import type { AnswerRecord } from '@understudy/shared';
import { type Asked, type CommandAnswer, refused } from './command.ts';

/** `node:crypto` hashing is a pure function. */
const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** The same key of somebody else is another key. */
export const answerIdOf = (identity: string, key: string): string =>
  sha256(JSON.stringify([identity, key])).slice(0, 32);

/** Sorted by name at any depth, so that the same request has the same text. */
const canonical = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(canonical)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, one]) => [name, canonical(one)])
      : value;

export const requestHashOf = ({ command, reason }: Pick<Asked, 'command' | 'reason'>): string =>
  sha256(JSON.stringify(canonical({ command, reason })));

/** The answer given before to what has this hash; refused where that was another request. */
export function answeredBefore({ command }: Asked, requestHash: string, record: AnswerRecord): CommandAnswer {
  if (record.requestHash !== requestHash)
    return refused('IDEMPOTENCY_KEY_REUSED', 'this idempotency key stands for another request of yours');
  const { text, ...result } = record.result;
  return {
    ...{ kind: 'done', command: command.kind, auditId: record.auditId, repeated: true, result },
    text: typeof text === 'string' ? text : '',
  };
}
