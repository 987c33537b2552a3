import {
  type ActivationRecord,
  type Keyspace,
  opIdOf,
  type OperatorRequestRecord,
  unwritten,
} from '@understudy/shared';
import type { Stored } from '../view/cluster-view-mirror.ts';
import type { GuardedWrite } from '../contracts.ts';

/**
 * For an instance that carries the mark of the very recovery that is about to begin, while no intent is there: that recovery was begun before, and somebody
 * removed its records. What it has sent to EC2 under its tokens may have happened, and been undone; the next one needs names of its own. A request to recover
 * is carried over to the new name. One transaction, which compares that no intent is there.
 */
export function raisedOrdinal(
  keys: Keyspace,
  { record, modRevision }: Stored<ActivationRecord>,
  request: Stored<OperatorRequestRecord> | undefined,
): GuardedWrite {
  const { member, instanceId, ordinal = 0 } = record;
  const carried = request?.record.opId === opIdOf(instanceId, ordinal) ? request : null;
  return {
    puts: [
      { key: keys.activation(member), expect: modRevision, record: { ...unwritten(record), ordinal: ordinal + 1 } },
      ...(carried === null
        ? []
        : [
            {
              key: keys.request(member),
              expect: carried.modRevision,
              record: { ...unwritten(carried.record), opId: opIdOf(instanceId, ordinal + 1) },
            },
          ]),
    ],
    deletePrefixes: [keys.journalOf(opIdOf(instanceId, ordinal))],
    also: [{ key: keys.intent(member), modRevision: 0 }],
  };
}
