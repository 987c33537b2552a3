import type { Condition } from '@understudy/shared/testing';
import {
  azOf,
  coordinatorOf,
  gained,
  memberOf,
  type Injection,
  type InjectionContext,
  type InjectionTable,
  type ActiveFault,
} from './active-fault.ts';

/** Imposes conditions on the network until the fault is over. */
function impose(
  context: InjectionContext,
  id: string,
  conditions: readonly Condition[],
  happened: () => boolean,
): ActiveFault {
  const { cluster } = context;
  for (const [index, condition] of conditions.entries()) cluster.network.impose(`${id}/${index}`, condition);
  cluster.healthChanged();
  return {
    undo: () => {
      for (const index of conditions.keys()) cluster.network.lift(`${id}/${index}`);
      cluster.healthChanged();
    },
    happened,
  };
}

const loss: Injection<'net-loss'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, lossRatio: fault.ratio }],
    gained(() => context.cluster.network.counts.lost),
  );

const delay: Injection<'net-delay'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, delayMs: [fault.delayMs, fault.delayMs] }],
    gained(() => context.cluster.network.counts.delivered),
  );

const duplicate: Injection<'net-duplicate'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, duplicateRatio: fault.ratio }],
    gained(() => context.cluster.network.counts.duplicated),
  );

const reorder: Injection<'net-reorder'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, delayMs: [0, fault.withinMs] }],
    gained(() => context.cluster.network.counts.overtaken),
  );

/** What a coordinator sends does not arrive, while it hears everything. */
const cutOneWay: Injection<'net-cut-one-way'> = (fault, context) => {
  const { id } = coordinatorOf(context, fault.coordinator);
  const agents = { role: 'agent' } as const;
  const self = { role: 'coordinator', name: id } as const;
  const condition: Condition =
    fault.towards === 'agents' ? { from: self, to: agents, cut: true } : { from: agents, to: self, cut: true };
  return impose(
    context,
    fault.id,
    [condition],
    gained(() => context.cluster.network.counts.cut),
  );
};

/** One coordinator and one member lose each other; everybody else hears both. */
const memberCut: Injection<'net-member-cut'> = (fault, context) => {
  const host = { role: 'coordinator', name: coordinatorOf(context, fault.coordinator).id } as const;
  const machine = { role: 'agent', name: memberOf(context, fault.member) } as const;
  return impose(
    context,
    fault.id,
    [
      { from: host, to: machine, cut: true },
      { from: machine, to: host, cut: true },
    ],
    gained(() => context.cluster.network.counts.cut),
  );
};

/**
 * A zone loses the others: its machines and its coordinator, and what the coordinator needs of
 * etcd, whose quorum stands elsewhere.
 */
const zonePartition: Injection<'zone-partition'> = (fault, context) => {
  const az = azOf(context, fault.zone);
  const others = context.cluster.cloud.zones.filter((zone) => zone !== az);
  const conditions = others.flatMap((other): Condition[] => [
    { from: { az }, to: { az: other }, cut: true },
    { from: { az: other }, to: { az }, cut: true },
  ]);
  const inside = context.cluster.hosts.filter((host) => host.node.az === az);
  for (const host of inside) host.cutFromStore(fault.id, 'both');
  const network = impose(
    context,
    fault.id,
    conditions,
    gained(() => context.cluster.network.counts.cut),
  );
  return {
    undo: () => {
      network.undo();
      for (const host of inside) host.reachStore(fault.id);
    },
    happened: network.happened,
  };
};

export const NETWORK_INJECTIONS: InjectionTable<
  'net-loss' | 'net-delay' | 'net-duplicate' | 'net-reorder' | 'net-cut-one-way' | 'net-member-cut' | 'zone-partition'
> = {
  'net-loss': loss,
  'net-delay': delay,
  'net-duplicate': duplicate,
  'net-reorder': reorder,
  'net-cut-one-way': cutOneWay,
  'net-member-cut': memberCut,
  'zone-partition': zonePartition,
};
