import { type HoldReason, type MemberId, TAG } from '@understudy/shared';
import type { World } from './world.ts';

type Attend = (world: World, member: MemberId) => void;

/** Brings the member's own machine back: nothing was lost but time. */
const restart: Attend = (world, member) => {
  const instanceId = world.activeInstanceOf(member);
  if (instanceId === null || world.machines.of(instanceId)?.agentRuns) return;
  const state = world.cloud.core.region.instances.get(instanceId)?.state;
  if (state === 'stopped') world.operators.start(instanceId);
  else world.operators.reboot(instanceId);
};

/** Whoever claims to be the member and is not. */
const stopRivals: Attend = (world, member) => {
  const active = world.activeInstanceOf(member);
  for (const { id, tags } of world.cloud.core.region.instances.all())
    if (id !== active && `${tags[TAG.group] ?? ''}/${tags[TAG.member] ?? ''}` === member && world.machines.of(id))
      world.operators.forceStop(id);
};

const stopOld: Attend = (world, member) => {
  const old = world.intentOf(member)?.oldInstanceId;
  if (old !== undefined) world.operators.forceStop(old);
};

const giveAddress: Attend = (world, member) => {
  const allocationId = world.addressOf(member);
  if (allocationId !== null) world.operators.give(allocationId, world.activeInstanceOf(member));
};

const recover: Attend = (world, member) => {
  world.operators.command(member, 'recover');
};

const ATTENDING: Partial<Record<HoldReason, Attend>> = {
  MassFailure: restart,
  ZoneFailure: restart,
  NeverHeard: restart,
  Flapping: restart,
  ClaimAgainstActivation: stopRivals,
  TwoInstancesClaimMember: stopRivals,
  FenceNotProven: stopOld,
  AddressHeldElsewhere: giveAddress,
  Abandoned: recover,
  StoppedByOwnFence: recover,
};

/** What an operator does about a hold, as its text asks (docs/coordinator.md). For the others there is nothing to do but to try again. */
export function attendTo(world: World, member: MemberId, reason: HoldReason): void {
  ATTENDING[reason]?.(world, member);
}
