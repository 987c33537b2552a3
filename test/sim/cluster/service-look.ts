import type { Clock, Endpoint, ProbeReport } from '@understudy/shared';
import type { Machine } from './machine.ts';
import type { NetworkNode } from '@understudy/shared/testing';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** There and back, and what the peer's kernel needs. */
const ANSWER_MS = 3;

/**
 * A TCP connection to a machine's service. Its kernel accepts while the workload serves and refuses
 * while it does not; nobody answers when it is off, frozen, or cut off in either direction.
 */
export async function lookAtService(
  cluster: SimulatedCluster,
  from: NetworkNode,
  clock: Clock,
  { to, timeoutMs }: { readonly to: Endpoint; readonly timeoutMs: number },
): Promise<ProbeReport> {
  const report = reportOf(cluster, from, to);
  cluster.looks[report.code] = (cluster.looks[report.code] ?? 0) + 1;
  await clock.sleep(report.host === 'silent' ? timeoutMs : ANSWER_MS);
  return report;
}

function reportOf(cluster: SimulatedCluster, from: NetworkNode, { address }: Endpoint): ProbeReport {
  const machine = machineAt(cluster, address);
  const base = { httpStatus: null, expiresSoon: false };
  const { network } = cluster;
  const answers =
    machine?.isOn === true &&
    !machine.isPaused &&
    !network.isCut(from, machine.node) &&
    !network.isCut(machine.node, from);
  if (!answers) return { ...base, host: 'silent', code: 'Timeout' };
  return { ...base, host: 'answered', code: machine.serves ? 'Passing' : 'Refused' };
}

/** By the address its heartbeats come from, or by its private one. */
function machineAt(cluster: SimulatedCluster, address: string): Machine | undefined {
  for (const machine of cluster.machines.all) if (machine.node.address === address) return machine;
  const { networkInterfaces } = cluster.cloud.core.region;
  const held = networkInterfaces.all().find((one) => one.privateIp === address)?.attachment?.instanceId;
  return held === undefined ? undefined : cluster.machines.of(held);
}
