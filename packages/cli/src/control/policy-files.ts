import { readFileSync } from 'node:fs';
import { errorText, OperationError, type PolicyChange, policyChanges, type PolicyView } from '@understudy/shared';
import { parseAllDocuments, stringify } from 'yaml';
import * as z from 'zod';

const WrittenSchema = z.strictObject({
  group: z.string(),
  /** What it was made from. Absent: what is there when it is applied. */
  revision: z.number().int().min(0).optional(),
  policy: z.record(z.string(), z.unknown()).nullable().default({}),
});

export interface WrittenPolicy {
  readonly group: string;
  readonly revision: number | null;
  readonly policy: Readonly<Record<string, unknown>>;
}

/**
 * Reads one group a document, as `get policy` prints them.
 * @throws CONFIG_INVALID with the place
 */
export function readPolicies(text: string, source: string): readonly WrittenPolicy[] {
  const wrong = (fault: string) => new OperationError('CONFIG_INVALID', `${source}: ${fault}`);
  const documents = parseAllDocuments(text);
  const written = [...documents].flatMap((document): readonly WrittenPolicy[] => {
    const [error] = document.errors;
    if (error) throw wrong(error.message);
    const value: unknown = document.toJS();
    if (value === null) return [];
    const parsed = WrittenSchema.safeParse(value);
    if (parsed.success)
      return [{ ...parsed.data, revision: parsed.data.revision ?? null, policy: parsed.data.policy ?? {} }];
    const issue = parsed.error.issues[0];
    throw wrong(`${issue?.path.join('.') || 'document'}: ${issue?.message ?? ''}; want group: and policy:`);
  });
  if (written.length === 0) throw wrong('there is no group in it');
  return written;
}

/** @throws CONFIG_INVALID when the file cannot be read */
export function readPolicyFile(path: string): readonly WrittenPolicy[] {
  try {
    return readPolicies(readFileSync(path === '-' ? 0 : path, 'utf8'), path);
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw new OperationError('CONFIG_INVALID', `${path} cannot be read: ${errorText(error)}`, { cause: error });
  }
}

const valueText = (value: unknown): string => (value === null ? '(default)' : JSON.stringify(value));

export const changeText = ({ sign, path, before, after }: PolicyChange): string =>
  `${sign} ${path}: ${sign === '+' ? valueText(after) : `${valueText(before)} → ${valueText(after)}`}`;

/** The fields of what is in force that nobody has set. */
const defaultsText = ({ own, effective }: PolicyView): readonly string[] =>
  policyChanges(own, effective)
    .filter((one) => one.sign === '+')
    .map((one) => `#   ${one.path}: ${JSON.stringify(one.after)}`);

/** YAML that `apply` takes back; what is not set stands beside it, in comments. */
export const policyText = (view: PolicyView): string =>
  [
    ...(view.refused === null ? [] : [`# refused, the last good one is in force: ${view.refused}`]),
    stringify({ group: view.group, revision: view.revision, policy: view.own }).trimEnd(),
    '# defaults, where nothing is set:',
    ...defaultsText(view),
  ].join('\n');

export interface ThreeWay {
  readonly group: string;
  /** What it was made from. Null: not known any more. */
  readonly base: object | null;
  readonly yours: object;
  readonly theirs: object;
}

/** Somebody else has changed the policy meanwhile: what you changed, and what they did. */
export function threeWayText({ group, base, yours, theirs }: ThreeWay): string {
  const list = (changes: readonly PolicyChange[]) =>
    changes.length === 0 ? ['  nothing'] : changes.map((one) => `  ${changeText(one)}`);
  if (base === null)
    return [`${group}: from what is there now to yours:`, ...list(policyChanges(theirs, yours))].join('\n');
  return [
    `${group}: you changed:`,
    ...list(policyChanges(base, yours)),
    `${group}: meanwhile somebody else changed:`,
    ...list(policyChanges(base, theirs)),
  ].join('\n');
}
