import { type ActivationRecord, type GuardedWrite, type Keyspace, opIdOf, unwritten } from '@understudy/shared';
import { freeOrdinal } from '../enrol/enrol.ts';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';

type Journals = Pick<ClusterRecords, 'journals' | 'unreadable' | 'preparations' | 'prepared'>;
type Identity = Pick<ActivationRecord, 'instanceId' | 'ordinal'>;

/**
 * Recoveries of this instance, up to and with this ordinal, that have a journal, readable or not,
 * oldest first. Without an intent it is what somebody left who removed the intent by hand: whatever
 * else ends a recovery takes both. That of a preparation is its own.
 */
export function journalsUpTo(keys: Keyspace, records: Journals, { instanceId, ordinal }: Identity): readonly string[] {
  const { journals, unreadable, preparations } = records;
  if (journals.size === 0 && unreadable.size === 0) return [];
  const opIds = Array.from({ length: ordinal + 1 }, (_, number) => opIdOf(instanceId, number));
  const broken = [...unreadable.keys()];
  const isLeft = (opId: string) => journals.has(opId) || broken.some((key) => key.startsWith(keys.journalOf(opId)));
  const isPrepared = (opId: string) => preparations.has(opId) || unreadable.has(keys.preparation(opId));
  return opIds.filter((opId) => isLeft(opId) && !isPrepared(opId));
}

/** Names of preparations that were dropped and have gone. */
export const goneNames = ({ prepared }: Pick<ClusterRecords, 'prepared'>): ReadonlySet<string> =>
  new Set([...prepared.values()].flatMap(({ record }) => (record.gone ?? []).map(({ opId }) => opId)));

/**
 * **S** Was the very recovery that is about to begin begun before, although no intent is there? Its
 * journal, or its mark on the instance, tells: somebody removed its records. Begun under the same
 * name it would go on where that journal ends, and believe a fence of then. Nor is the name of a
 * preparation that has gone taken again (S31), as by a member that was removed and enrolled anew:
 * the collector removes whatever carries it.
 */
export function wasBegunBefore(
  keys: Keyspace,
  records: Journals,
  identity: Identity,
  mark: string | undefined,
): boolean {
  const opId = opIdOf(identity.instanceId, identity.ordinal);
  const prepared = records.preparations.get(opId);
  // What was dropped, or cannot be read, is no recovery's to go on with.
  const isForeign = prepared?.record.dropped !== undefined || records.unreadable.has(keys.preparation(opId));
  return (
    mark === opId || isForeign || goneNames(records).has(opId) || journalsUpTo(keys, records, identity).includes(opId)
  );
}

/**
 * For a recovery that {@link wasBegunBefore}. What it has sent to EC2 under its tokens may have
 * happened, and been undone; the next one needs names of its own. A request to recover is carried
 * over to the new name. One transaction, which compares that no intent is there. The journal stays
 * until the next recovery begins: it may be all that tells our stop from an operator's.
 */
export function raisedOrdinal(
  keys: Keyspace,
  records: Pick<ClusterRecords, 'requests' | 'prepared'>,
  { record, modRevision }: Stored<ActivationRecord>,
): GuardedWrite {
  const { member, instanceId, ordinal } = record;
  const request = records.requests.get(member);
  const next = freeOrdinal(goneNames(records), instanceId, ordinal + 1);
  const carried = request?.record.opId === opIdOf(instanceId, ordinal) ? request : null;
  return {
    puts: [
      { key: keys.activation(member), expect: modRevision, record: { ...unwritten(record), ordinal: next } },
      ...(carried === null
        ? []
        : [
            {
              key: keys.request(member),
              expect: carried.modRevision,
              record: { ...unwritten(carried.record), opId: opIdOf(instanceId, next) },
            },
          ]),
    ],
    also: [{ key: keys.intent(member), modRevision: 0 }],
  };
}
