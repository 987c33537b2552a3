import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from '@aws-sdk/client-ec2';
import type { Failure } from './acts.ts';
import { CAST } from './cast.ts';
import { DEMO_TIMES } from './configuration.ts';
import { criticalPathMs } from './critical-path.ts';
import { type DemoReport, recoveryReport, type RecoveryReport } from './report.ts';
import { finishedRecovery, type Scene } from './scene.ts';
import type { Theatre } from './theatre.ts';

/** Checks from outside, with the operator's own client and eyes, what the coordinators claim. */
export async function audit(theatre: Theatre, scene: Scene, failures: readonly Failure[]): Promise<DemoReport> {
  const violations: string[] = [];
  const recoveries: RecoveryReport[] = [];
  const events = await theatre.admin.events();
  for (const failure of failures) {
    const history = finishedRecovery(scene, failure.member);
    if (!history?.newInstanceId) {
      violations.push(`${failure.member} was not replaced`);
      continue;
    }
    const launched = await theatre.operator.launchedBy(history.opId);
    const path = {
      oldInstanceId: history.oldInstanceId,
      newInstanceId: history.newInstanceId,
      startedAtWallMs: history.startedAtWallMs,
      endedAtWallMs: history.endedAtWallMs,
      settleMs: DEMO_TIMES.settleMs,
      movesAddress: [...theatre.addresses.values()].includes(failure.member),
    };
    recoveries.push(
      recoveryReport(history, {
        ...failure,
        instancesLaunched: launched.length,
        criticalPathMs: criticalPathMs(events, path),
      }),
    );
    violations.push(
      ...(await replacementFaults(theatre, failure.member, history.oldInstanceId, history.newInstanceId)),
    );
  }
  const failed = new Set(failures.map((each) => each.member));
  const touched = [...scene.recoveries.open, ...scene.recoveries.history].filter((each) => !failed.has(each.member));
  return { recoveries, falseFailovers: touched.length, violations: [...violations, ...(await runningFaults(theatre))] };
}

async function replacementFaults(
  theatre: Theatre,
  member: string,
  oldInstanceId: string,
  newInstanceId: string,
): Promise<string[]> {
  const faults: string[] = [];
  const [old] = await theatre.operator.instances({ 'instance-id': [oldInstanceId] });
  if (old?.State?.Name !== 'stopped' && old?.State?.Name !== 'terminated')
    faults.push(`${oldInstanceId}, replaced, is ${old?.State?.Name ?? 'unknown'}`);
  const holders = await theatre.operator.addressHolders();
  for (const [allocationId, owner] of theatre.addresses) {
    if (owner === member && holders.get(allocationId) !== newInstanceId)
      faults.push(
        `${allocationId} of ${member} is on ${holders.get(allocationId) ?? 'nothing'}, not on ${newInstanceId}`,
      );
  }
  const [replacement] = await theatre.operator.instances({ 'instance-id': [newInstanceId] });
  return [...faults, ...dataFaults(theatre, member, oldInstanceId, replacement)];
}

/** The workload wrote one line per activation into the member's data: the replacement must have its predecessor's line and its own. */
function dataFaults(
  theatre: Theatre,
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
    ledger = readFileSync(join(theatre.dir, 'cloud', 'volumes', volumeId, 'ledger.txt'), 'utf8');
  } catch {
    return [`${member}: the replacement's data has no ledger`];
  }
  return [oldInstanceId, replacement.InstanceId]
    .filter((id) => !ledger.includes(id))
    .map((id) => `${member}: the ledger has no line of ${id}`);
}

/** One running instance per member, except the one stopped on purpose. */
async function runningFaults(theatre: Theatre): Promise<string[]> {
  const running = await theatre.operator.instances({
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
