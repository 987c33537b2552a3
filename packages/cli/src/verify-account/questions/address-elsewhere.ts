import { OperationError } from '@understudy/shared';
import type { Answer, Bench, Question } from '../question.ts';
import { refusedWith } from '../refusal.ts';
import { waitFor } from '../waiting.ts';

const LAG_LIMIT_MS = 60_000;

async function associate({ cloud }: Bench, allocationId: string, networkInterfaceId: string) {
  return cloud.associateAddress({ allocationId, networkInterfaceId, privateIp: null });
}

/** The address on an instance that is stopped. */
async function heldByStopped(bench: Bench, allocationId: string, networkInterfaceId: string): Promise<void> {
  const { cloud, things } = bench;
  const { instanceId } = await things.running({ networkInterfaceId });
  await associate(bench, allocationId, networkInterfaceId);
  await cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true });
  await things.until(instanceId, 'stopped');
}

/** @throws when the address is somebody's */
async function assertFree({ cloud }: Bench, allocationId: string): Promise<void> {
  const [address] = await cloud.describeAddresses({ 'allocation-id': [allocationId] });
  if (address === undefined) throw new OperationError('CLOUD_NOT_FOUND', 'the address does not exist');
  if (address.associationId !== null || address.networkInterfaceId !== null)
    throw new OperationError('CLOUD_CONFLICT', 'the address is associated: name one that nobody uses');
}

/** Takes it off our own interfaces only: somebody else may have taken it meanwhile. */
async function givenBack({ cloud, clock }: Bench, allocationId: string, ours: readonly string[]): Promise<void> {
  await waitFor(clock, { what: 'the address is free again', limitMs: LAG_LIMIT_MS }, async () => {
    const [address] = await cloud.describeAddresses({ 'allocation-id': [allocationId] });
    const { associationId = null, networkInterfaceId = null } = address ?? {};
    if (associationId === null || !ours.includes(networkInterfaceId ?? '')) return true;
    await cloud.disassociateAddress(associationId);
    return null;
  });
}

async function takenTwice(bench: Bench, allocationId: string, other: string): Promise<Answer> {
  const code = await refusedWith(associate(bench, allocationId, other));
  if (code === null)
    return { verdict: 'otherwise', saw: 'it was taken from the stopped instance without a word', figures: {} };
  const verdict = code === 'Resource.AlreadyAssociated' ? 'as-assumed' : 'unclear';
  return { verdict, saw: `refused: ${code}`, figures: { code } };
}

async function ask(bench: Bench): Promise<Answer> {
  const { allocationId, subnetId } = bench.given;
  if (allocationId === null) throw new OperationError('CONFIG_INVALID', 'no address was named');
  await assertFree(bench, allocationId);
  const holder = await bench.things.shownInterfaceIn(subnetId);
  const other = await bench.things.shownInterfaceIn(subnetId);
  const ours = [holder.networkInterfaceId, other.networkInterfaceId];
  try {
    await heldByStopped(bench, allocationId, holder.networkInterfaceId);
    return await takenTwice(bench, allocationId, other.networkInterfaceId);
  } finally {
    // It was free before, and nobody else has to find it associated.
    await givenBack(bench, allocationId, ours);
  }
}

export const addressElsewhere: Question = {
  id: 'address-elsewhere',
  asks: 'AssociateAddress without reassociation, while the address is on a stopped instance: which code?',
  restsOn: 'S12: an address is moved by compare-and-set, and never taken from somebody unseen',
  remedy: 'do not let Understudy replace machines with Elastic IP addresses here, and open an issue with this report',
  needs: ['allocationId'],
  use: { instances: 1, minutes: 6, diskGiB: 8 },
  calls: ['CreateNetworkInterface', 'RunInstances', 'StopInstances', 'AssociateAddress'],
  ask,
};
