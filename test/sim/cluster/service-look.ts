import type { Clock, Endpoint, ProbeReport } from '@understudy/shared';
import type { NetworkNode } from '@understudy/shared/testing';
import type { SimulatedCluster } from './simulated-cluster.ts';

export const PASSES: ProbeReport = { host: 'answered', code: 'Passing', httpStatus: null, expiresSoon: false };
/** The kernel answers, the service does not. */
export const REFUSES: ProbeReport = { ...PASSES, code: 'Refused' };
export const TIMES_OUT: ProbeReport = { ...PASSES, host: 'silent', code: 'Timeout' };

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
  const instanceId = instanceAt(cluster, address) ?? '';
  cluster.looksAt.set(instanceId, (cluster.looksAt.get(instanceId) ?? 0) + 1);
  const machine = cluster.machines.of(instanceId);
  const { network, services } = cluster;
  const told = services.get(`${from.name}>${instanceId}`) ?? services.get(instanceId);
  if (told) return told;
  const answers =
    machine?.isOn === true &&
    !machine.isPaused &&
    !network.isCut(from, machine.node) &&
    !network.isCut(machine.node, from);
  if (!answers) return TIMES_OUT;
  return machine.serves ? PASSES : REFUSES;
}

/** By the address its heartbeats come from, or by its private one. */
function instanceAt(cluster: SimulatedCluster, address: string): string | undefined {
  for (const machine of cluster.machines.all) if (machine.node.address === address) return machine.identity.instanceId;
  const { networkInterfaces } = cluster.cloud.core.region;
  return networkInterfaces.all().find((one) => one.privateIp === address)?.attachment?.instanceId;
}
