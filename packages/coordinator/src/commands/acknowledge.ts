import { type HistoryRecord, unwritten } from '@understudy/shared';
import type { Stored } from '../store/cluster-records.ts';
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
  const { opId } = command;
  const open = [...records.intents.values()].find((one) => one.record.opId === opId);
  if (open)
    return refused(
      'RECOVERY_UNKNOWN',
      `${opId} of ${open.record.member} is still open: acknowledge it when it has ended`,
    );
  const found = ended(facts, opId);
  if (!found) return refused('RECOVERY_UNKNOWN', `no recovery ${opId} has ended here: understudy history`);
  const { record, modRevision } = found;
  const { member } = record;
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

function ended({ records }: CommandFacts, opId: string): Stored<HistoryRecord> | undefined {
  for (const entries of records.history.values()) {
    const found = entries.get(opId);
    if (found) return found;
  }
  return undefined;
}
