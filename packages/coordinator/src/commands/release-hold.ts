import { commandsFor, WAYS_OUT } from '@understudy/shared';
import { type Asked, type Command, type CommandFacts, type CommandDecision, refused } from './command.ts';

/**
 * Takes exactly the hold that was shown off an open recovery, which is then tried again at once.
 * Where the cause stands it is held again, with its reason. The other holds follow from what the
 * leader sees, four times a second: there is nothing to take off, only the cause.
 */
export function decideReleaseHold(
  { command }: Asked<Extract<Command, { kind: 'release-hold' }>>,
  { records, keys }: CommandFacts,
): CommandDecision {
  const { member } = command;
  const hold = records.holds.get(member);
  if (!hold) return refused('NOTHING_THERE', `${member} is not held`);
  const { reason, text, opId, sinceWallMs } = hold.record;
  const shown = { member, reason, text, opId, sinceWallMs, revision: hold.modRevision };
  if (command.revision !== hold.modRevision)
    return refused('REVISION_STALE', `${member} is held otherwise than was shown: ${reason}: ${text}`, { hold: shown });
  const intent = records.intents.get(member);
  if (opId === null || intent?.record.opId !== opId) {
    const commands = commandsFor(reason, member).join(' or ');
    const way = `${WAYS_OUT[reason].act}${commands === '' ? '' : ` (${commands})`}`;
    return refused('NOT_RELEASABLE', `${member} is held for what is so now, not for what was tried: ${way}`, {
      hold: shown,
    });
  }
  return {
    kind: 'change',
    about: member,
    text: `${member} is no longer held for ${reason}: recovery ${opId} is tried again at once`,
    effect: {
      deletes: [{ key: keys.hold(member), expect: hold.modRevision }],
      also: [{ key: keys.intent(member), modRevision: intent.modRevision }],
    },
    before: shown,
    after: null,
    result: { released: shown },
  };
}
