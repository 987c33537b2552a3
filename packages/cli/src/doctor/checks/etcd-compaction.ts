import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import type { EtcdFacts } from '../etcd-facts.ts';
import { note, ok, type Finding, warning } from '../finding.ts';

/** Revisions that an hour of a busy cluster writes; far more are never asked for. */
const KEPT_MAX = 100_000;

/** Whether old revisions are removed. Pure. */
export function judgeCompaction(etcd: readonly EtcdFacts[]): readonly Finding[] {
  const [known] = etcd.filter(({ revision, compactRevision }) => revision !== null && compactRevision !== null);
  if (known === undefined) return [note('whether etcd is compacted is not known (/metrics is closed)')];
  const kept = (known.revision ?? 0) - Math.max(0, known.compactRevision ?? 0);
  const text = `etcd keeps ${kept} old revisions`;
  return kept > KEPT_MAX
    ? [
        warning(
          `${text}: nobody compacts it, and it fills up`,
          'start etcd with --auto-compaction-mode=periodic --auto-compaction-retention=1h',
          `etcdctl compact ${known.revision}`,
        ),
      ]
    : [ok(text)];
}

export const etcdCompaction = check('etcd compaction', ({ etcd }: CoordinatorHost) => etcd(), judgeCompaction);
