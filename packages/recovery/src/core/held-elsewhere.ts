import type { CloudInstance, CloudNetworkInterface, InstanceState } from '@understudy/shared';

/** Private address → who has it by now, in words. */
export type HeldElsewhere = ReadonlyMap<string, string>;

export const HELD_BY_NOBODY: HeldElsewhere = new Map();

const KEEPING: ReadonlySet<InstanceState> = new Set(['pending', 'running', 'stopping', 'stopped']);

/** Until it ends an instance keeps its primary private address, and nobody else can have it. */
export const keepsAddress = (instance: Pick<CloudInstance, 'state' | 'privateIp'>, address: string): boolean =>
  instance.privateIp === address && KEEPING.has(instance.state);

type Holder = Pick<CloudNetworkInterface, 'networkInterfaceId' | 'privateIp' | 'attachedInstanceId' | 'attachment'> & {
  readonly assigned: Pick<CloudNetworkInterface['assigned'], 'secondary-ip'>;
};

/**
 * **S** (S12) Which of the addresses are with a machine that is not one of `ours`. EC2 gives the
 * address of an instance that has ended to anybody. An interface that is attached to nothing serves
 * nobody; one of a service is attached, to no instance.
 */
export function heldElsewhere(
  addresses: readonly string[],
  seen: readonly Holder[],
  ours: ReadonlySet<string>,
): HeldElsewhere {
  const others = seen.filter(
    ({ attachment, attachedInstanceId }) =>
      (attachment !== null || attachedInstanceId !== null) &&
      (attachedInstanceId === null || !ours.has(attachedInstanceId)),
  );
  return new Map(
    addresses.flatMap((address): [string, string][] => {
      const by = others.find((one) => one.privateIp === address || one.assigned['secondary-ip'].includes(address));
      if (!by) return [];
      const whose = by.attachedInstanceId ?? by.networkInterfaceId;
      return [[address, `${address} is the address of ${whose} by now, and is left to it`]];
    }),
  );
}
