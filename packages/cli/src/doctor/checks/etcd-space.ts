import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import type { EtcdFacts } from '../etcd-facts.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
/** Above this share of its quota etcd is nearly full. */
const NEARLY_FULL = 0.8;

const ALARMS: Readonly<Record<string, readonly [remedy: string, command: string]>> = {
  NOSPACE: [
    'etcd takes no writes: compact and defragment it, raise --quota-backend-bytes if need be, then disarm the alarm',
    'etcdctl defrag --cluster && etcdctl alarm disarm',
  ],
  CORRUPT: [
    'etcd takes no writes: find the corrupt member, replace it or restore a snapshot, then disarm the alarm',
    'etcdctl endpoint hashkv --cluster',
  ],
};

/** Alarms, and how full etcd is. Pure. */
export function judgeSpace(etcd: readonly EtcdFacts[]): readonly Finding[] {
  const alarms = [...new Set(etcd.flatMap((one) => one.alarms))];
  const raised = alarms.map((alarm) => {
    const [remedy, command] = ALARMS[alarm] ?? ['see the documentation of etcd', 'etcdctl alarm list'];
    return fault(`etcd has the alarm ${alarm}`, remedy, command);
  });
  const sizes = etcd.flatMap(({ host, dbBytes, quotaBytes }): Finding[] => {
    if (dbBytes === null) return [];
    if (quotaBytes === null)
      return [note(`${host} holds ${mebibytes(dbBytes)}; its quota is not known (/metrics is closed)`)];
    const text = `${host} holds ${mebibytes(dbBytes)} of ${mebibytes(quotaBytes)}`;
    return dbBytes > quotaBytes * NEARLY_FULL
      ? [warning(text, 'compact and defragment etcd, or raise --quota-backend-bytes', 'etcdctl defrag --cluster')]
      : [ok(text)];
  });
  return [...raised, ...sizes];
}

export const etcdSpace = check('etcd space', ({ etcd }: CoordinatorHost) => etcd(), judgeSpace);
