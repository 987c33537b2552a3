import { isName, type PolicyChange, policyChanges, policyIn } from '@understudy/shared';
import {
  type AppliedPolicy,
  type Asked,
  type Command,
  type CommandFacts,
  type CommandDecision,
  refused,
  type Refused,
} from './command.ts';

type Apply = Extract<Command, { kind: 'apply-policies' }>;
type Reset = Extract<Command, { kind: 'reset-policy' }>;

/** With the audit record and the answer well below what one transaction of etcd takes. */
const GROUPS_MAX = 40;

interface Planned {
  readonly group: string;
  readonly key: string;
  readonly policy: object;
  readonly revision: number;
  readonly changes: readonly PolicyChange[];
}

/**
 * Every group of the command, or none: one transaction, which compares the revision of each with
 * the one that the change was made from.
 */
export function decideApply({ command: { groups } }: Asked<Apply>, facts: CommandFacts): CommandDecision {
  if (groups.length === 0 || groups.length > GROUPS_MAX)
    return refused('BAD_REQUEST', `${groups.length} groups in one command, from 1 to ${GROUPS_MAX} are taken`);
  const names = groups.map((one) => one.group);
  if (new Set(names).size < names.length) return refused('BAD_REQUEST', 'a group is named twice');
  const planned: Planned[] = [];
  for (const one of groups) {
    const answer = planOne(one, facts);
    if ('kind' in answer) return answer;
    planned.push(answer);
  }
  const changed = planned.filter((one) => one.changes.length > 0 || one.revision === 0);
  const result = { groups: planned.map(({ group, revision, changes }) => ({ group, revision, changes })) };
  if (changed.length === 0) return { kind: 'unchanged', text: `${names.join(', ')}: nothing differs`, result };
  return {
    kind: 'change',
    about: changed.map((one) => one.group).join(','),
    text: changed.map(({ group, changes }) => `policy of ${group}: ${changes.length} changed`).join('; '),
    effect: {
      puts: changed.map(({ group, key, policy, revision }) => ({ key, expect: revision, record: { group, policy } })),
      // Those that stay as they are were part of what was decided.
      also: planned
        .filter((one) => !changed.includes(one))
        .map(({ key, revision }) => ({ key, modRevision: revision })),
    },
    before: Object.fromEntries(changed.map((one) => [one.group, sideOf(one, 'before')])),
    after: Object.fromEntries(changed.map((one) => [one.group, sideOf(one, 'after')])),
    result,
  };
}

/** The default is in force again, from the next second on. */
export function decideReset({ command: { group, revision } }: Asked<Reset>, facts: CommandFacts): CommandDecision {
  const key = facts.keys.group(group);
  const current = facts.revisionOf(key);
  if (current === 0) return refused('NOTHING_THERE', `${group} has no policy of its own: the default is in force`);
  if (current !== revision) return stale(group, current, facts);
  const changes = policyChanges(policyIn(facts.valueOf(key)) ?? {}, {});
  return {
    kind: 'change',
    about: group,
    text: `${group} has the default policy again`,
    effect: { deletes: [{ key, expect: current }] },
    before: { [group]: Object.fromEntries(changes.map((one) => [one.path, one.before])) },
    after: null,
    result: { group, changes },
  };
}

function planOne({ group, policy, revision }: AppliedPolicy, facts: CommandFacts): Planned | Refused {
  if (!isName(group)) return refused('BAD_REQUEST', `${JSON.stringify(group)} is no group name`);
  const key = facts.keys.group(group);
  const current = facts.revisionOf(key);
  if (revision !== null && revision !== current) return stale(group, current, facts);
  const faults = facts.policyFaults(policy);
  if (faults.length > 0) return refused('POLICY_REFUSED', `${group}: ${faults.join('; ')}`, { group, faults });
  const changes = policyChanges(policyIn(facts.valueOf(key)) ?? {}, policy);
  return { group, key, policy, revision: current, changes };
}

const stale = (group: string, revision: number, { keys, valueOf }: CommandFacts): Refused =>
  refused('REVISION_STALE', `the policy of ${group} was changed meanwhile: it is at revision ${revision} now`, {
    ...{ group, revision },
    policy: policyIn(valueOf(keys.group(group))),
  });

const sideOf = ({ changes }: Planned, side: 'before' | 'after') =>
  Object.fromEntries(changes.map((one) => [one.path, one[side]]));
