import { type MemberId, type MemberRecord, type Problem, problemOf } from '@understudy/shared';

/** Members that are named. The others are counted. */
const NAMED_MAX = 5;

/**
 * One problem for all members whose recovery would not go well. Null: there are none. Each member's
 * own words stand in `explain`.
 */
export function readinessProblem(
  members: ReadonlyMap<MemberId, { readonly record: Pick<MemberRecord, 'readinessProblems'> }>,
): Problem | null {
  const named: string[] = [];
  let count = 0;
  for (const [member, { record }] of members) {
    if (record.readinessProblems.length === 0) continue;
    count += 1;
    if (named.length >= NAMED_MAX) continue;
    named.push(`${member} (${record.readinessProblems.map((one) => one.code).join(', ')})`);
  }
  if (count === 0) return null;
  const more = count > named.length ? ` and ${count - named.length} more` : '';
  return problemOf('MEMBERS_NOT_READY', `${named.join(', ')}${more}`);
}
