import { deedText, type MemberId } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

/**
 * Who has stopped, started or ended the instance that the member has, and the one it had before, a
 * sentence each: what this process has heard, what waits for a history, and what one keeps. Pure.
 */
export function deedTexts(
  { activations, intents, history, deeds }: Pick<ClusterRecords, 'activations' | 'intents' | 'history' | 'deeds'>,
  member: MemberId,
  heard: (instanceIds: readonly string[]) => readonly string[],
): readonly string[] {
  const ended = [...(history.get(member)?.values() ?? [])].map((one) => one.record);
  const last = ended.sort((a, b) => b.endedAtWallMs - a.endedAtWallMs)[0];
  const ids = [
    activations.get(member)?.record.instanceId,
    intents.get(member)?.record.oldInstanceId,
    last?.oldInstanceId,
  ];
  const told = heard([...new Set(ids.flatMap((id) => id ?? []))]);
  const waiting = deeds.get(member)?.record.kept.filter(({ instanceId }) => ids.includes(instanceId)) ?? [];
  const kept = last?.deeds?.map((deed) => deedText(last.oldInstanceId, deed)) ?? [];
  const stored = new Set([...waiting.map((one) => deedText(one.instanceId, one)), ...kept]);
  return [...told, ...[...stored].filter((text) => !told.includes(text))];
}
