import { type Asked, type Command, type CommandDecision, type CommandFacts, refused } from './command.ts';

/**
 * Forgets to whom on an instance its member's key was given, so that the next one who asks there
 * with a good document is answered. The key that was given goes on working: whoever has it has it.
 */
export function decideResetEnrolment(
  { command }: Asked<Extract<Command, { kind: 'reset-enrolment' }>>,
  { records, keys }: CommandFacts,
): CommandDecision {
  const { member } = command;
  const enrolled = records.enrolments.get(member);
  if (!enrolled) return refused('NOTHING_THERE', `no instance of ${member} has enrolled by identity`);
  const { instanceId, address, publicKey, atWallMs, keyId } = enrolled.record;
  const shown = { member, instanceId, address, publicKey, atWallMs, keyId, revision: enrolled.modRevision };
  if (command.revision !== enrolled.modRevision)
    return refused('REVISION_STALE', `${member} has enrolled otherwise than was shown: ${instanceId}`, {
      enrolment: shown,
      revision: enrolled.modRevision,
    });
  return {
    kind: 'change',
    about: member,
    text: `the next agent that shows the identity of the instance of ${member} is given its key (${instanceId} had it)`,
    effect: { deletes: [{ key: keys.enrolment(member), expect: enrolled.modRevision }] },
    before: shown,
    after: null,
    result: { reset: shown },
  };
}
