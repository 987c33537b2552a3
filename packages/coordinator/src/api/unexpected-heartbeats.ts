import { instanceHashOf, type MemberId, type MonotonicMs, type Problem, problemOf } from '@understudy/shared';
import type { ObserverTable, Unexpected } from '@understudy/observer';
import type { ClusterRecords } from '../store/cluster-records.ts';

export interface UnexpectedSources {
  readonly records: ClusterRecords;
  readonly observer: Pick<ObserverTable, 'unexpected'>;
  readonly nowMs: MonotonicMs;
}

/** Members named in one problem. All of them have a line in `members`. */
const NAMED_MAX = 5;

/** Every address EC2 says the activated instance has. Empty: not known. */
function addressesOf({ members, activations }: ClusterRecords, member: MemberId): readonly string[] {
  const record = members.get(member)?.record;
  if (!record || record.instanceId !== activations.get(member)?.record.instanceId) return [];
  return record.privateIp === null ? [] : [record.privateIp, ...record.otherAddresses];
}

/**
 * The instance behind a hash: one this member had, or the activated one of the member that has the
 * address. Null: no known instance.
 */
function instanceOf(records: ClusterRecords, member: MemberId, hash: string, address: string | null): string | null {
  const { members, history } = records;
  const had = [...(history.get(member)?.values() ?? [])].flatMap(({ record }) => [
    record.oldInstanceId,
    ...(record.newInstanceId === null ? [] : [record.newInstanceId]),
  ]);
  const there = [...members.values()].filter(({ record }) => address !== null && record.privateIp === address);
  const own = members.get(member)?.record.instanceId;
  const candidates = [...(own === undefined ? [] : [own]), ...had, ...there.map(({ record }) => record.instanceId)];
  return candidates.find((instanceId) => instanceHashOf(instanceId) === hash) ?? null;
}

function otherInstance(
  records: ClusterRecords,
  member: MemberId,
  { instanceHash, address, activatedInstanceId }: Extract<Unexpected, { kind: 'other-instance' }>,
): string {
  const instanceId = instanceOf(records, member, instanceHash, address);
  const from = address ?? 'an unknown address';
  const who = instanceId ? `${instanceId} (${from})` : `an instance we do not know (${from}, id hash ${instanceHash})`;
  return `heartbeats for ${member} come from ${who}, which is not the activated ${activatedInstanceId}`;
}

function wordsOf(records: ClusterRecords, member: MemberId, one: Unexpected): string {
  if (one.kind === 'other-instance') return otherInstance(records, member, one);
  if (one.kind === 'other-address') {
    const { instanceId, address } = one;
    const has = addressesOf(records, member).join(', ');
    return `heartbeats for ${member} come from ${address}, and EC2 says that ${instanceId} has ${has}`;
  }
  const { instanceId, epoch, newestEpoch, proven } = one;
  return proven
    ? `the boot epoch of the agent on ${instanceId} (${member}) went back from ${newestEpoch} to ${epoch}: its clock and its state went back, or a second agent spoke before`
    : `heartbeats for ${member} of an older boot epoch come in (${epoch}, after ${newestEpoch}) whose sender answers no challenge: old recordings, or an agent that does not hear us`;
}

/**
 * While a recovery is open the replacement sends beside the instance that is still activated, as it
 * has to.
 */
const isExpected = ({ intents }: ClusterRecords, member: MemberId, { kind }: Unexpected): boolean =>
  kind === 'other-instance' && intents.has(member);

function found({ records, observer, nowMs }: UnexpectedSources, member: MemberId): readonly Unexpected[] {
  const all = observer.unexpected(member, addressesOf(records, member), nowMs);
  return all.length === 0 ? all : all.filter((one) => !isExpected(records, member, one));
}

/**
 * What is odd about the heartbeats this process hears for one member, a sentence each. It decides
 * nothing.
 */
export const unexpectedTexts = (sources: UnexpectedSources, member: MemberId): readonly string[] =>
  found(sources, member).map((one) => wordsOf(sources.records, member, one));

/** At most one problem of each code. A heartbeat that may be a mere recording is no problem. */
export function unexpectedProblems(sources: UnexpectedSources): readonly Problem[] {
  const { records } = sources;
  const elsewhere: string[] = [];
  const wentBack: string[] = [];
  for (const member of records.members.keys())
    for (const one of found(sources, member))
      if (one.kind !== 'older-epoch') elsewhere.push(wordsOf(records, member, one));
      else if (one.proven) wentBack.push(wordsOf(records, member, one));
  return [
    ...(elsewhere.length > 0 ? [problemOf('AGENT_ELSEWHERE', listOf(elsewhere))] : []),
    ...(wentBack.length > 0 ? [problemOf('AGENT_EPOCH_WENT_BACK', listOf(wentBack))] : []),
  ];
}

function listOf(texts: readonly string[]): string {
  const more = texts.length - NAMED_MAX;
  return `${texts.slice(0, NAMED_MAX).join('; ')}${more > 0 ? `; and ${more} more (understudy members)` : ''}`;
}
