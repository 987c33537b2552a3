import { unwritten } from '@understudy/shared';
import { type Asked, type Command, type CommandFacts, type CommandDecision, refused } from './command.ts';

/**
 * Says of one ended recovery that a person has looked at it: it no longer keeps the next one of its
 * member waiting. Nothing else is lifted; other recoveries of the member still count.
 */
export function decideAcknowledge(
  { command, caller, reason }: Asked<Extract<Command, { kind: 'acknowledge' }>>,
  facts: CommandFacts,
): CommandDecision {
  const { records, keys, nowWallMs } = facts;
  const { opId, member } = command;
  if (records.intents.get(member)?.record.opId === opId)
    return refused('RECOVERY_UNKNOWN', `${opId} of ${member} is still open: acknowledge it when it has ended`);
  const found = records.history.get(member)?.get(opId);
  if (!found) return refused('RECOVERY_UNKNOWN', `no recovery ${opId} of ${member} has ended: understudy history`);
  const { record, modRevision } = found;
  if (record.acknowledged)
    return {
      kind: 'unchanged',
      text: `${opId} of ${member} was acknowledged by ${record.acknowledged.by} already`,
      result: { acknowledged: opId, member, by: record.acknowledged.by },
    };
  const acknowledged = { by: caller.identity, why: reason, atWallMs: nowWallMs };
  return {
    kind: 'change',
    about: opId,
    text: `${opId} of ${member} no longer counts for cooldown and flapping`,
    effect: {
      puts: [
        {
          key: keys.historyEntry(member, opId),
          expect: modRevision,
          record: { ...unwritten(record), acknowledged },
        },
      ],
    },
    before: { member, opId, endedAtWallMs: record.endedAtWallMs, acknowledged: null },
    after: { member, opId, acknowledged },
    result: { acknowledged: opId, member, by: caller.identity },
  };
}
