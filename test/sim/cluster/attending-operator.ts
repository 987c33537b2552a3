import { type HoldReason, type MemberId, TAG } from '@understudy/shared';
import type { SimulatedCluster } from './simulated-cluster.ts';

type Attend = (cluster: SimulatedCluster, member: MemberId) => void;

/** Brings the member's own machine back: nothing was lost but time. */
const restart: Attend = (cluster, member) => {
  const instanceId = cluster.activeInstanceOf(member);
  if (instanceId === null || cluster.machines.of(instanceId)?.agentRuns) return;
  const state = cluster.cloud.core.region.instances.get(instanceId)?.state;
  if (state === 'stopped') cluster.operators.start(instanceId);
  else cluster.operators.reboot(instanceId);
};

/** Whoever claims to be the member and is not. */
const stopRivals: Attend = (cluster, member) => {
  const active = cluster.activeInstanceOf(member);
  for (const { id, tags } of cluster.cloud.core.region.instances.all())
    if (id !== active && `${tags[TAG.group] ?? ''}/${tags[TAG.member] ?? ''}` === member && cluster.machines.of(id))
      cluster.operators.forceStop(id);
};

const stopOld: Attend = (cluster, member) => {
  const old = cluster.records.intent(member)?.oldInstanceId;
  if (old !== undefined) cluster.operators.forceStop(old);
};

const giveAddress: Attend = (cluster, member) => {
  const allocationId = cluster.addressOf(member);
  if (allocationId !== null) cluster.operators.give(allocationId, cluster.activeInstanceOf(member));
};

const pointRecord: Attend = (cluster, member) => {
  cluster.identities.returnRecord(member, cluster.activeInstanceOf(member));
};

const recover: Attend = (cluster, member) => {
  cluster.operators.command(member, 'recover');
};

const ATTENDING: Partial<Record<HoldReason, Attend>> = {
  MassFailure: restart,
  ZoneFailure: restart,
  NeverHeard: restart,
  Flapping: restart,
  NotEnoughObservers: restart,
  ObserverUnwell: restart,
  ClaimAgainstActivation: stopRivals,
  TwoInstancesClaimMember: stopRivals,
  FenceNotProven: stopOld,
  AddressHeldElsewhere: giveAddress,
  RecordChanged: pointRecord,
  Abandoned: recover,
  StoppedByOwnFence: recover,
};

/**
 * What an operator does about a hold, as its text asks (docs/coordinator.md). For the others there
 * is nothing to do but to try again.
 */
export function attendTo(cluster: SimulatedCluster, member: MemberId, reason: HoldReason): void {
  ATTENDING[reason]?.(cluster, member);
}
