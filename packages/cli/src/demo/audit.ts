import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from '@aws-sdk/client-ec2';
import { type ClusterSnapshot, LOCAL_TIMES, finishedRecovery, type LocalCluster } from '@understudy/local-cluster';
import type { Failure } from './acts.ts';
import { CAST } from './cast.ts';
import { criticalPathMs } from './critical-path.ts';
import { type DemoReport, recoveryReport, type RecoveryReport } from './report.ts';

/** Checks the coordinators' claims from outside, with the operator's own client. */
export async function audit(
  cluster: LocalCluster,
  snapshot: ClusterSnapshot,
  failures: readonly Failure[],
): Promise<DemoReport> {
  const violations: string[] = [];
  const recoveries: RecoveryReport[] = [];
  const events = await cluster.admin.events();
  for (const failure of failures) {
    const history = finishedRecovery(snapshot, failure.member);
    if (!history?.newInstanceId) {
      violations.push(`${failure.member} was not replaced`);
      continue;
    }
    const launched = await cluster.operator.launchedBy(history.opId);
    const path = {
      oldInstanceId: history.oldInstanceId,
      newInstanceId: history.newInstanceId,
      startedAtWallMs: history.startedAtWallMs,
      endedAtWallMs: history.endedAtWallMs,
      settleMs: LOCAL_TIMES.settleMs,
      movesAddress: [...cluster.addresses.values()].includes(failure.member),
    };
    recoveries.push(
      recoveryReport(history, {
        ...failure,
        instancesLaunched: launched.length,
        criticalPathMs: criticalPathMs(events, path),
      }),
    );
    violations.push(
      ...(await replacementFaults(cluster, failure.member, history.oldInstanceId, history.newInstanceId)),
    );
  }
  const failed = new Set(failures.map((each) => each.member));
  const touched = [...snapshot.recoveries.open, ...snapshot.recoveries.history].filter(
    (each) => !failed.has(each.member),
  );
  return { recoveries, falseFailovers: touched.length, violations: [...violations, ...(await runningFaults(cluster))] };
}

async function replacementFaults(
  cluster: LocalCluster,
  member: string,
  oldInstanceId: string,
  newInstanceId: string,
): Promise<string[]> {
  const faults: string[] = [];
  const [old] = await cluster.operator.instances({ 'instance-id': [oldInstanceId] });
  if (old?.State?.Name !== 'stopped' && old?.State?.Name !== 'terminated')
    faults.push(`${oldInstanceId}, replaced, is ${old?.State?.Name ?? 'unknown'}`);
  const holders = await cluster.operator.addressHolders();
  for (const [allocationId, owner] of cluster.addresses) {
    if (owner === member && holders.get(allocationId) !== newInstanceId)
      faults.push(
        `${allocationId} of ${member} is on ${holders.get(allocationId) ?? 'nothing'}, not on ${newInstanceId}`,
      );
  }
  const [replacement] = await cluster.operator.instances({ 'instance-id': [newInstanceId] });
  return [...faults, ...dataFaults(cluster, member, oldInstanceId, replacement)];
}

/**
 * The workload wrote one line per activation into the member's data. The replacement must have its
 * predecessor's line and its own.
 */
function dataFaults(
  cluster: LocalCluster,
  member: string,
  oldInstanceId: string,
  replacement: Instance | undefined,
): string[] {
  const device = CAST.find((each) => each.member === member)?.dataVolumes[0]?.deviceName ?? replacement?.RootDeviceName;
  const volumeId = replacement?.BlockDeviceMappings?.find((each) => each.DeviceName === device)?.Ebs?.VolumeId;
  if (!replacement?.InstanceId || volumeId === undefined)
    return [`${member}: the replacement has no volume at ${device}`];
  let ledger = '';
  try {
    ledger = readFileSync(join(cluster.dir, 'cloud', 'volumes', volumeId, 'ledger.txt'), 'utf8');
  } catch {
    return [`${member}: the replacement's data has no ledger`];
  }
  return [oldInstanceId, replacement.InstanceId]
    .filter((id) => !ledger.includes(id))
    .map((id) => `${member}: the ledger has no line of ${id}`);
}

/** Checks that each member has one running instance, except the one stopped on purpose. */
async function runningFaults(cluster: LocalCluster): Promise<string[]> {
  const running = await cluster.operator.instances({
    'tag-key': ['understudy:member'],
    'instance-state-name': ['pending', 'running'],
  });
  const count = new Map<string, number>();
  for (const each of running) {
    const tags = new Map((each.Tags ?? []).map((tag) => [tag.Key, tag.Value]));
    const member = `${tags.get('understudy:group')}/${tags.get('understudy:member')}`;
    count.set(member, (count.get(member) ?? 0) + 1);
  }
  return [...count]
    .filter(([, instances]) => instances > 1)
    .map(([member, instances]) => `${member} has ${instances} running instances`);
}
