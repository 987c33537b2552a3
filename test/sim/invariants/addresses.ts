import { TAG } from '@understudy/shared';
import type { MemberId } from '@understudy/shared';
import type { World } from '../cluster/world.ts';
import type { MakeWatcher } from './invariant.ts';

/** The instance an address leads to; null: none. */
export function holderOf(world: World, allocationId: string): string | null {
  const { addresses, networkInterfaces } = world.cloud.core.world;
  const interfaceId = addresses.get(allocationId)?.networkInterfaceId;
  return interfaceId ? (networkInterfaces.get(interfaceId)?.attachment?.instanceId ?? null) : null;
}

/** I6, as far as it can be seen at once: an address is never given to an instance that the activation does not name. */
export const watchAddresses: MakeWatcher = (world, report) => ({
  witness(happening) {
    if (happening.kind !== 'cloud' || happening.event.kind !== 'call') return;
    const { action, executed, input } = happening.event;
    if (action !== 'AssociateAddress' || !executed) return;
    const allocationId = String(input['AllocationId']);
    const holder = holderOf(world, allocationId);
    const tags = holder === null ? undefined : world.cloud.core.world.instances.get(holder)?.tags;
    const member: MemberId = `${tags?.[TAG.group] ?? ''}/${tags?.[TAG.member] ?? ''}`;
    const active = world.activeInstanceOf(member);
    if (holder !== null && holder !== active)
      report('I6', `${allocationId} was given to ${holder}, but ${member} is ${active ?? 'nobody'}`);
  },
});
