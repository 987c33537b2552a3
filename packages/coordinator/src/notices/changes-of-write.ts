import type {
  ActivationRecord,
  FindingsRecord,
  GuardedDelete,
  GuardedPut,
  GroupRecord,
  HistoryRecord,
  HoldRecord,
  IntentRecord,
  JudgementRecord,
  MemberId,
  PauseRecord,
  WallMs,
} from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';
import {
  activationChange,
  type Change,
  holdBegun,
  holdEnded,
  pauseBegun,
  pauseEnded,
  policyChange,
  problemChanges,
  recoveryBegun,
  recoveryEnded,
  verdictChange,
} from './change.ts';

/** A write of the leader, as far as a reader of keys and records can see it. */
export interface TellingWrite {
  readonly puts: readonly GuardedPut[];
  readonly deletes?: readonly GuardedDelete[];
}

export type RecordsBefore = Pick<
  ClusterRecords,
  'root' | 'judgements' | 'activations' | 'holds' | 'pauses' | 'findings' | 'groups'
>;

/**
 * The changes of state that a write makes, by comparing what it puts and deletes with what stood
 * there before. So whoever writes as leader tells of it, whatever room it stands in. Pure.
 *
 * What stood before is what our view says. A write whose keys have changed since then is refused
 * by etcd, and its notices with it.
 */
export function changesOf(write: TellingWrite, before: RecordsBefore, nowWallMs: WallMs): readonly Change[] {
  const begins = new Set(
    write.puts.flatMap(({ key }) => (areaOf(key, before) === 'intents' ? [memberOf(key, before)] : [])),
  );
  return [
    ...write.puts.flatMap((put) => ofPut(put, before, nowWallMs)),
    // A recovery that begins ends the hold of its member, and says more.
    ...(write.deletes ?? [])
      .flatMap(({ key }) => ofDelete(key, before))
      .filter(({ kind, member }) => kind !== 'hold.ended' || member === null || !begins.has(member)),
  ];
}

const partsOf = (key: string, { root }: Pick<RecordsBefore, 'root'>): readonly string[] =>
  key.startsWith(root) ? key.slice(root.length).split('/') : [];
const areaOf = (key: string, before: RecordsBefore): string => partsOf(key, before)[0] ?? '';
const memberOf = (key: string, before: RecordsBefore): MemberId => {
  const [, group = '', name = ''] = partsOf(key, before);
  return `${group}/${name}`;
};

const some = (change: Change | null): readonly Change[] => (change === null ? [] : [change]);

/**
 * The records of a put are what their writer gives; their schema is that of their area, and the
 * next reader holds them against it.
 */
function ofPut({ key, record, expect }: GuardedPut, before: RecordsBefore, nowWallMs: WallMs): readonly Change[] {
  const member = memberOf(key, before);
  const isNew = expect === 0;
  switch (areaOf(key, before)) {
    case 'judgements':
      return some(verdictChange(record as JudgementRecord, before.judgements.get(member)?.record ?? null));
    case 'activations':
      return some(activationChange(record as ActivationRecord, before.activations.get(member)?.record ?? null));
    case 'intents':
      return isNew ? [recoveryBegun(record as IntentRecord)] : [];
    case 'history':
      return isNew ? [recoveryEnded(record as HistoryRecord)] : [];
    case 'holds':
      return some(holdBegun(record as HoldRecord, before.holds.get(member)?.record ?? null));
    case 'pauses':
      return [pauseBegun(record as PauseRecord, nowWallMs)];
    case 'groups':
      return [policyChange((record as GroupRecord).group, false)];
    case 'findings':
      return problemChanges(record as FindingsRecord, before.findings.get('current')?.record ?? null);
    default:
      return [];
  }
}

function ofDelete(key: string, before: RecordsBefore): readonly Change[] {
  const [area, ...rest] = partsOf(key, before);
  const hold = area === 'holds' ? before.holds.get(memberOf(key, before)) : undefined;
  const pause = area === 'pauses' ? before.pauses.get(rest.join('/')) : undefined;
  if (area === 'groups') return [policyChange(rest[0] ?? '', true)];
  return [...(hold ? [holdEnded(hold.record)] : []), ...(pause ? [pauseEnded(pause.record)] : [])];
}
