import type { HistoryRecord } from '@understudy/shared/browser';

/**
 * What tells how code takes over what a recovery has left. Null: the instance is the one that the
 * code names.
 */
export const handBackCommand = ({
  outcome,
  member,
  opId,
}: Pick<HistoryRecord, 'outcome' | 'member' | 'opId'>): string | null =>
  outcome === 'replaced' || outcome === 'undone' ? `understudy handback ${member} --from-recovery ${opId}` : null;
