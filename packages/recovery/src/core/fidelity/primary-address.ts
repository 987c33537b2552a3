import type { GroupPolicy } from '@understudy/shared';
import type { Circumstances } from './row.ts';

type Asked = Pick<Circumstances, 'input' | 'policy'>;

/** What leads clients to whatever address a replacement has. */
const isLedTo = ({ identity: { dns, targetGroups } }: Pick<GroupPolicy, 'identity'>): boolean =>
  dns.zones.length > 0 || targetGroups.groups === 'discover' || targetGroups.groups.length > 0;

/** What a replacement has otherwise, and who has to be told. */
export function primaryAddressLoss({ input: { instance }, policy }: Asked): string {
  const told = isLedTo(policy)
    ? 'records and target groups that the policy names follow, and whoever else knows the address has to be told'
    : 'the policy names no records and no target groups, so whoever knows the address has to be told';
  return `private address ${instance.privateIp ?? ''} and MAC stay with the old instance: the replacement has others; ${told}`;
}

/** Why it is not replaced; null: its address may change. */
export function primaryAddressMustStay({ input: { instance }, policy }: Asked): string | null {
  if (policy.identity.primaryAddress !== 'keep') return null;
  const { privateIp, instanceId } = instance;
  return `identity.primaryAddress is keep, and EC2 frees ${privateIp ?? 'the address'} only when ${instanceId} is terminated: a replacement would have another address`;
}
