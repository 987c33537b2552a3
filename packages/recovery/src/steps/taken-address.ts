import { type CloudNetworkInterface, TAG } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { addressWanted } from '../core/predecessor.ts';
import type { Attempt, Frozen, Move } from '../effect.ts';
import { giveUpText } from '../give-up.ts';
import type { Run } from '../run.ts';
import type { PERMIT } from './attempt-records.ts';

/** The permit was to have the address of the predecessor, and somebody else has it. */
export const isAddressTaken = (last: Attempt | null, { request }: Frozen<typeof PERMIT>): boolean =>
  last?.name === 'create' &&
  last.error?.upstreamCode === 'InvalidIPAddress.InUse' &&
  request.create.privateIp !== undefined;

/**
 * EC2 gives an address that is in use to nobody: whoever has it keeps it. **S** (S7, S32) What an
 * ended attempt of this recovery has made too late is deleted, because no launch names it: only a
 * recorded permit is ever named, and those are seen gone before the next attempt begins. null: it
 * is asked for again.
 */
export async function addressTaken(
  run: Run,
  attempt: number,
  frozen: Frozen<typeof PERMIT>,
  memory: { heldSinceMs: number | null },
): Promise<Move<typeof PERMIT> | null> {
  const address = frozen.request.create.privateIp ?? '';
  if (addressWanted(launchPlanOf(run.plan)) !== address)
    return { kind: 'failed', failure: 'capacity', code: 'AddressGivenUp', text: `${address} was given up` };
  const holder = await holderOf(run, address, frozen.request.create.subnetId);
  if (holder && isLatePermit(run, attempt, holder)) return clear(holder.networkInterfaceId);
  const isOwn = holder === null || holder.networkInterfaceId === run.plan.primaryInterfaceId;
  memory.heldSinceMs ??= run.nowMs();
  const heldForMs = run.nowMs() - memory.heldSinceMs;
  // An older picture shows the predecessor's interface, or nobody.
  if (heldForMs < (isOwn ? run.settings.lagGraceMs : run.settings.confirmSpacingMs)) return null;
  const who = holder ? `${holder.networkInterfaceId}${holderText(holder)} has` : 'somebody whom EC2 does not show has';
  return {
    kind: 'hold',
    reason: 'AddressHeldElsewhere',
    text: `${who} ${address}, which is to be the replacement's: nothing is launched. It goes on once the address is free. ${giveUpText(run, `primary:${address}`)}; the replacement gets another one then`,
  };
}

const holderText = ({ attachedInstanceId }: CloudNetworkInterface): string =>
  attachedInstanceId === null ? '' : ` of ${attachedInstanceId}`;

async function holderOf(run: Run, address: string, subnetId: string): Promise<CloudNetworkInterface | null> {
  const filters = { 'addresses.private-ip-address': [address], 'subnet-id': [subnetId] };
  const [found = null] = await run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
  return found;
}

function isLatePermit(run: Run, attempt: number, { attachedInstanceId, tags }: CloudNetworkInterface): boolean {
  const of = Number(tags[TAG.attempt]);
  return attachedInstanceId === null && tags[TAG.op] === run.record.opId && of >= 1 && of < attempt;
}

const clear = (networkInterfaceId: string): Move<typeof PERMIT> => ({
  kind: 'act',
  text: `deleting ${networkInterfaceId}, which a call of an ended attempt has made too late`,
  calls: [{ name: 'clear', run: (cloud, options) => cloud.deleteNetworkInterface(networkInterfaceId, options) }],
});
