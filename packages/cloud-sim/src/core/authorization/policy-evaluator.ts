import type { AccessContext, AccessRequest, Authorize } from './access-request.ts';

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export interface EvaluatedStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Conditions;
}

export interface EvaluatedPolicy {
  readonly Statement: readonly EvaluatedStatement[];
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** IAM's wildcards: `*` for any characters, `?` for one. */
function fits(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

type Compare = (wanted: string, value: string) => boolean;

const COMPARE: Readonly<Record<string, Compare>> = {
  StringEquals: (wanted, value) => wanted === value,
  StringLike: fits,
  ArnLike: fits,
  ArnEquals: fits,
  Bool: (wanted, value) => wanted.toLowerCase() === value.toLowerCase(),
};

/** Keys are compared without regard to case, but for a tag's own name, which is what it is. */
function valueOf(context: AccessContext, key: string): readonly string[] {
  const same = (other: string): boolean => other === key || other.toLowerCase() === key.toLowerCase();
  return listOf(Object.entries(context).find(([other]) => same(other))?.[1]);
}

/** One operator on one key. `IfExists`: an absent key fits. `ForAllValues`: so does it there. */
function holds(operator: string, key: string, wanted: readonly string[], context: AccessContext): boolean {
  const values = valueOf(context, key);
  if (operator === 'Null') return wanted.includes(String(values.length === 0));
  const [, forAll, name = '', ifExists] = /^(ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const compare = COMPARE[name];
  if (compare === undefined) throw new Error(`the operator ${operator} is not known here`);
  if (values.length === 0) return forAll !== undefined || ifExists !== undefined;
  const isWanted = (value: string): boolean => wanted.some((one) => compare(one, value));
  return forAll === undefined ? values.some(isWanted) : values.every(isWanted);
}

const meets = (conditions: Conditions, context: AccessContext): boolean =>
  Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, key, listOf(wanted), context)),
  );

const applies = (statement: EvaluatedStatement, { action, resource, context }: AccessRequest): boolean =>
  listOf(statement.Action).some((one) => fits(one.toLowerCase(), action.toLowerCase())) &&
  listOf(statement.Resource).some((one) => fits(one, resource)) &&
  meets(statement.Condition ?? {}, context);

/**
 * Evaluates identity policies, as IAM does without boundaries and policies of organisations: a Deny
 * that applies wins, otherwise an Allow has to apply. It knows the operators that are named above.
 * @throws Error for an operator it does not know, when a request meets it
 */
export function policyEvaluator(policies: readonly EvaluatedPolicy[]): Authorize {
  const statements = policies.flatMap((policy) => policy.Statement);
  return (request) => {
    const applying = statements.filter((statement) => applies(statement, request));
    return applying.length > 0 && applying.every((statement) => statement.Effect === 'Allow');
  };
}
