import { until } from '@understudy/shared/node';
import type { Cluster } from './cluster.ts';

const PID = 'systemctl show -P MainPID understudy-agent.service';

export const agentPid = ({ world }: Cluster, instanceId: string): Promise<string> => world.shell(instanceId, PID);

/**
 * Waits until systemd runs another agent than that one, and this other one has been told `active`,
 * has done so, and PostgreSQL commits. It withdraws the workload first, because it knows nothing of
 * what the one before was told (docs/workloads.md). Returns its process id.
 */
export async function nextAgentActive(cluster: Cluster, instanceId: string, before: string): Promise<string> {
  const other = async () => {
    const pid = await agentPid(cluster, instanceId);
    return pid !== before && pid !== '0' ? pid : null;
  };
  const pid = await until('another agent', other, 60_000);
  const words = `journalctl --no-pager -o cat _PID=${pid} | grep activation.applied | tail -n 1`;
  const isActive = async () => (await cluster.world.shell(instanceId, words)).includes('"state":"active"');
  await until(`agent ${pid} has applied active`, isActive, 60_000);
  await cluster.committedAfter(cluster.clock.monotonicMs());
  // It takes connections a moment before its unit is up.
  await until('PostgreSQL is up', () => cluster.serves(instanceId), 60_000);
  return pid;
}
