import { etcdVersionFault } from '@understudy/coordinator';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import type { EtcdFacts } from '../etcd-facts.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

export interface MembersFacts {
  readonly etcd: readonly EtcdFacts[];
  readonly allowUnsafeVersion: string | null;
}

function versionFindings({ etcd, allowUnsafeVersion }: MembersFacts): readonly Finding[] {
  return etcd.flatMap(({ host, version }) => {
    if (version === null) return [];
    const text = etcdVersionFault(version);
    if (text === null) return [ok(`${host} runs etcd ${version}`)];
    const remedy = 'upgrade etcd: leases of this version make leadership unsafe';
    return allowUnsafeVersion === null
      ? [fault(`${host}: ${text}`, remedy)]
      : [warning(`${host}: ${text}; allowed because: ${allowUnsafeVersion}`, remedy)];
  });
}

function quorumFindings(etcd: readonly EtcdFacts[]): readonly Finding[] {
  const known = Math.max(0, ...etcd.map(({ members }) => members ?? 0));
  const findings: Finding[] = [];
  if (known > 0 && known < 3)
    findings.push(warning(`etcd has ${known} members: one that fails stops everything`, 'run three, in three zones'));
  if (known > 2 && known % 2 === 0)
    findings.push(warning(`etcd has ${known} members: no more may fail than of ${known - 1}`, 'run an odd number'));
  if (known > etcd.length)
    findings.push(
      warning(`etcd has ${known} members, and etcd.hosts names ${etcd.length}`, 'name every member in etcd.hosts'),
    );
  return findings;
}

/** Version, health and number of the members of etcd. Pure. */
export function judgeMembers(facts: MembersFacts): readonly Finding[] {
  const { etcd } = facts;
  const silent = etcd.filter((one) => one.silent !== null);
  const blind = etcd.filter(({ hasLeader }) => hasLeader === false);
  return [
    ...silent.map(({ host, silent: why }) =>
      fault(`${host} does not answer: ${why}`, 'see that this member runs, and that this host reaches it'),
    ),
    ...blind.map(({ host }) => fault(`${host} knows no leader of etcd`, 'etcd has lost its quorum: start its members')),
    ...versionFindings(facts),
    ...quorumFindings(etcd),
  ];
}

export const etcdMembers = check(
  'etcd members',
  async ({ etcd, config }: CoordinatorHost): Promise<MembersFacts> => ({
    etcd: await etcd(),
    allowUnsafeVersion: config.etcd.allowUnsafeVersion ?? null,
  }),
  judgeMembers,
);
