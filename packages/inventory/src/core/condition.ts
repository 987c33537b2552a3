import { OperationError } from '@understudy/shared';
import type { Json, JsonObject } from './document.ts';
import { parsePath, valuesAt } from './field-path.ts';

export type Operator = '=' | '!=' | '~';

/** A condition on one field of a document. */
export interface Condition {
  readonly path: readonly string[];
  readonly operator: Operator;
  readonly value: string;
}

const PATTERN_MAX = 200;
const CONDITION = /^([^=!~]+?)(!=|=|~)(.*)$/s;

const refused = (text: string, why: string): OperationError =>
  new OperationError('INVENTORY_QUERY_INVALID', `${text}: ${why}`);

/**
 * `State.Name=running`, `Tags[understudy:group]!=web`, `PrivateIpAddress~^10\.`.
 * @throws INVENTORY_QUERY_INVALID
 */
export function parseCondition(text: string): Condition {
  const [, left = '', operator = '', value = ''] = CONDITION.exec(text) ?? [];
  if (operator !== '=' && operator !== '!=' && operator !== '~')
    throw refused(text, 'want a path, one of = != ~, and a value');
  const path = parsePath(left.trim());
  if (path === null) throw refused(text, `${left} is no path: names between dots, or in brackets where they have dots`);
  if (operator === '~') assertPattern(text, value);
  return { path, operator, value };
}

function assertPattern(text: string, pattern: string): void {
  if (pattern.length > PATTERN_MAX) throw refused(text, `a pattern has ${PATTERN_MAX} characters at most`);
  try {
    new RegExp(pattern, 'u');
  } catch {
    throw refused(text, `${pattern} is no regular expression`);
  }
}

const wordOf = (value: Json): string =>
  typeof value === 'string' ? value : typeof value === 'object' && value !== null ? JSON.stringify(value) : `${value}`;

/**
 * Whether a document fulfils all of the conditions. `=` and `~` hold when any value at the path
 * does; `!=` holds when none is equal, also where the path leads nowhere.
 */
export function matcher(conditions: readonly Condition[]): (document: JsonObject) => boolean {
  const tests = conditions.map(({ path, operator, value }) => {
    const pattern = operator === '~' ? new RegExp(value, 'u') : null;
    return (document: JsonObject): boolean => {
      const words = valuesAt(document, path).map(wordOf);
      if (pattern !== null) return words.some((word) => pattern.test(word));
      return operator === '=' ? words.includes(value) : !words.includes(value);
    };
  });
  return (document) => tests.every((test) => test(document));
}
