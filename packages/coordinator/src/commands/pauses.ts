import { isName, type PauseRecord, type Revision } from '@understudy/shared';
import { isInForce, scopesOf } from '../policy/pauses.ts';
import { type Asked, type Command, type CommandFacts, type CommandDecision, refused } from './command.ts';

type Pause = Extract<Command, { kind: 'pause' }>;
type Resume = Extract<Command, { kind: 'resume' }>;

/** Why a scope is none; null: it is one. */
export function scopeFault(scope: string): string | null {
  const [kind = '', ...names] = scope.split('/');
  const want = { global: 0, group: 1, member: 2 }[kind];
  return want === names.length && names.every(isName)
    ? null
    : `"${scope}" is no scope: global, group/<group> or member/<group>/<member>`;
}

/** A pause of nobody is a typing error that looks like safety. */
const holdsSomebody = (scope: string, { records }: CommandFacts): boolean =>
  scope === 'global' || [...records.members.keys()].some((member) => scopesOf(member).includes(scope));

/** A pause in words: who, why and until when. */
const saidOf = ({ who, why, untilWallMs }: Pick<PauseRecord, 'who' | 'why' | 'untilWallMs'>): string =>
  `paused by ${who}: ${why} (${untilWallMs === null ? 'no end' : `until ${new Date(untilWallMs).toISOString()}`})`;

const shown = (record: PauseRecord, revision: Revision) => ({
  ...{ scope: record.scope, who: record.who, why: record.why, sinceWallMs: record.sinceWallMs },
  ...{ untilWallMs: record.untilWallMs, revision },
});

/**
 * Nothing is begun for whom it is about from the moment it is written: the transaction that begins
 * a recovery compares it. What another person has paused is not changed unseen.
 */
export function decidePause({ command, caller, reason }: Asked<Pause>, facts: CommandFacts): CommandDecision {
  const { scope, untilWallMs, replaces } = command;
  const fault = scopeFault(scope);
  if (fault !== null) return refused('BAD_REQUEST', fault);
  if (untilWallMs !== null && untilWallMs <= facts.nowWallMs)
    return refused('BAD_REQUEST', 'its end is over by the clock of the leader: it would hold nobody');
  if (!holdsSomebody(scope, facts))
    return refused('NOTHING_THERE', `${scope} is of nobody: no member is enrolled that it would hold`);
  const key = facts.keys.pause(scope);
  const revision = facts.revisionOf(key);
  const there = facts.records.pauses.get(scope)?.record;
  const stands = revision !== 0 && (there === undefined || isInForce(there, facts.nowWallMs));
  const mayReplace = replaces === revision || there?.who === caller.identity;
  if (stands && !mayReplace)
    return refused('PAUSED_BY_ANOTHER', otherPauseText(scope, there), detailOf(there, revision));
  if (replaces !== null && replaces !== revision) return staleRevision(scope, revision);
  const record = { scope, who: caller.identity, why: reason, sinceWallMs: facts.nowWallMs, untilWallMs };
  return {
    kind: 'change',
    about: scope,
    text: `${scope} ${saidOf(record)}`,
    effect: { puts: [{ key, expect: revision, record }] },
    before: there ? shown(there, revision) : null,
    after: record,
    result: { pause: record },
  };
}

/**
 * Ends exactly the pause that was shown. Without a revision only one's own: a second pause of the
 * same scope by somebody else is another word, and stands.
 */
export function decideResume({ command, caller }: Asked<Resume>, facts: CommandFacts): CommandDecision {
  const { scope } = command;
  const fault = scopeFault(scope);
  if (fault !== null && facts.revisionOf(facts.keys.pause(scope)) === 0) return refused('BAD_REQUEST', fault);
  const key = facts.keys.pause(scope);
  const revision = facts.revisionOf(key);
  const there = facts.records.pauses.get(scope)?.record;
  if (revision === 0) return refused('NOTHING_THERE', `${scope} is not paused`);
  if (command.revision !== null && command.revision !== revision) return staleRevision(scope, revision, there);
  if (command.revision === null && there?.who !== caller.identity)
    return refused('PAUSED_BY_ANOTHER', otherPauseText(scope, there), detailOf(there, revision));
  return {
    kind: 'change',
    about: scope,
    text: there ? `${scope} goes on; it was ${saidOf(there)}` : `the unreadable pause of ${scope} is removed`,
    effect: { deletes: [{ key, expect: revision }] },
    before: there ? shown(there, revision) : { scope, unreadable: true },
    after: null,
    result: { resumed: scope, was: there ? shown(there, revision) : null },
  };
}

const otherPauseText = (scope: string, there: PauseRecord | undefined): string =>
  `${scope} is ${there ? saidOf(there) : 'paused by a record that cannot be read'}: to change or end it, name the revision you were shown`;

const detailOf = (there: PauseRecord | undefined, revision: Revision) => ({
  pause: there ? shown(there, revision) : { revision, unreadable: true },
});

const staleRevision = (scope: string, revision: Revision, there?: PauseRecord): CommandDecision =>
  refused('REVISION_STALE', `the pause of ${scope} is another one than was shown: look again`, {
    revision,
    ...(there ? { pause: shown(there, revision) } : {}),
  });
