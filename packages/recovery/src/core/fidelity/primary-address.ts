import { type GroupPolicy, type LaunchPlan, LEVEL_OF } from '@understudy/shared';
import type { Placements } from '../placement.ts';
import type { PlanInput } from '../plan-input.ts';
import { primaryInterfaceOf } from './primary-interface.ts';
import type { Circumstances } from './row.ts';

type Asked = Pick<Circumstances, 'input' | 'policy'>;

/** What leads clients to whatever address a replacement has. */
const isLedTo = ({ identity: { dns, targetGroups } }: Pick<GroupPolicy, 'identity'>): boolean =>
  dns.zones.length > 0 || targetGroups.groups === 'discover' || targetGroups.groups.length > 0;

/** **S** (S24) Builds of the level before would launch beside the predecessor. */
const isInForce = ({ level }: Pick<PlanInput, 'level'>): boolean => level === undefined || level >= LEVEL_OF.identity;

/** The policy gives the primary private address to the replacement. */
export const follows = ({ level }: Pick<PlanInput, 'level'>, { identity }: Pick<GroupPolicy, 'identity'>): boolean =>
  identity.primaryAddress === 'follow' && isInForce({ ...(level !== undefined && { level }) });

/** An address exists in its subnet only. */
export function pinnedTo(placements: Placements, subnetId: string | null): Placements {
  const otherwise = placements.candidates.filter((one) => one.subnetId !== subnetId);
  const skipped = [...new Set(otherwise.map((one) => one.subnetId))].map((id) => ({
    code: 'PlacementLosesPrimaryAddress',
    text: `subnet ${id} cannot have the primary private address, which exists in ${subnetId ?? 'its own'} only (identity.primaryAddress is follow)`,
  }));
  const candidates = placements.candidates.filter((one) => one.subnetId === subnetId);
  return { ...placements, candidates, otherwise, skipped: [...placements.skipped, ...skipped] };
}

/** What the permits get; undefined: the replacement has another address. */
export function followingOf({
  input,
  policy,
  placements: { otherwise = [] },
}: Circumstances): LaunchPlan['primaryAddress'] {
  const primary = primaryInterfaceOf(input.instance);
  const { privateIp } = input.instance;
  if (!follows(input, policy) || primary === null || privateIp === null) return undefined;
  return {
    ...{ address: privateIp, subnetId: primary.subnetId },
    ...(otherwise.length > 0 && { otherwise: [...otherwise] }),
  };
}

/** What a replacement has otherwise, and who has to be told; null: it has the address. */
export function primaryAddressLoss({ input, policy }: Asked): string | null {
  const { privateIp } = input.instance;
  if (follows(input, policy)) return null;
  const told = isLedTo(policy)
    ? 'records and target groups that the policy names follow, and whoever else knows the address has to be told'
    : 'the policy names no records and no target groups, so whoever knows the address has to be told';
  return `private address ${privateIp ?? ''} and MAC stay with the old instance: the replacement has others; ${told}`;
}

/** The price of an address that follows; null: it does not. */
export function predecessorEnds({ input, policy }: Asked): string | null {
  if (!follows(input, policy)) return null;
  const { instanceId, privateIp } = input.instance;
  return `${instanceId} is terminated before its successor runs, so that ${privateIp ?? 'its address'} is free: nothing is left of it but volumes and snapshots. There is no undo, nothing can be given back to it, and while ${primaryInterfaceOf(input.instance)?.subnetId ?? 'its subnet'} has no room the member stays down. Until the launch, whoever asks for the address can have it. Its MAC and the id of its interface are not carried`;
}

/** Why it is not replaced; null: its address may change, or can follow. */
export function primaryAddressMustStay({ input: { instance }, policy }: Asked): string | null {
  if (policy.identity.primaryAddress !== 'keep') return null;
  const { privateIp, instanceId } = instance;
  return `identity.primaryAddress is keep, and EC2 frees ${privateIp ?? 'the address'} only when ${instanceId} is terminated: a replacement would have another address`;
}

/** Why the address cannot follow; null: it can, or is not to. */
export function cannotFollow({ input, policy }: Asked): string | null {
  if (policy.identity.primaryAddress !== 'follow') return null;
  const { instance } = input;
  if (!isInForce(input)) return `identity.primaryAddress is follow, which needs feature level ${LEVEL_OF.identity}`;
  if (instance.privateIp === null) return `EC2 shows no private address of ${instance.instanceId} that could follow`;
  return null;
}
