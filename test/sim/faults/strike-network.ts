import type { Condition } from '../cluster/network.ts';
import {
  azOf,
  coordinatorOf,
  gained,
  memberOf,
  type Strike,
  type StrikeContext,
  type StrikeTable,
  type Struck,
} from './struck.ts';

/** Imposes conditions on the network until the fault is over. */
function impose(context: StrikeContext, id: string, conditions: readonly Condition[], happened: () => boolean): Struck {
  const { world } = context;
  for (const [index, condition] of conditions.entries()) world.network.impose(`${id}/${index}`, condition);
  world.healthChanged();
  return {
    undo: () => {
      for (const index of conditions.keys()) world.network.lift(`${id}/${index}`);
      world.healthChanged();
    },
    happened,
  };
}

const loss: Strike<'net-loss'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, lossRatio: fault.ratio }],
    gained(() => context.world.network.counts.lost),
  );

const delay: Strike<'net-delay'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, delayMs: [fault.delayMs, fault.delayMs] }],
    gained(() => context.world.network.counts.delivered),
  );

const duplicate: Strike<'net-duplicate'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, duplicateRatio: fault.ratio }],
    gained(() => context.world.network.counts.duplicated),
  );

const reorder: Strike<'net-reorder'> = (fault, context) =>
  impose(
    context,
    fault.id,
    [{ from: {}, to: {}, delayMs: [0, fault.withinMs] }],
    gained(() => context.world.network.counts.overtaken),
  );

/** What a coordinator sends does not arrive, while it hears everything. */
const cutOneWay: Strike<'net-cut-one-way'> = (fault, context) => {
  const { id } = coordinatorOf(context, fault.coordinator);
  const agents = { role: 'agent' } as const;
  const self = { role: 'coordinator', name: id } as const;
  const condition: Condition =
    fault.towards === 'agents' ? { from: self, to: agents, cut: true } : { from: agents, to: self, cut: true };
  return impose(
    context,
    fault.id,
    [condition],
    gained(() => context.world.network.counts.cut),
  );
};

/** One coordinator and one member lose each other; everybody else hears both. */
const memberCut: Strike<'net-member-cut'> = (fault, context) => {
  const host = { role: 'coordinator', name: coordinatorOf(context, fault.coordinator).id } as const;
  const machine = { role: 'agent', name: memberOf(context, fault.member) } as const;
  return impose(
    context,
    fault.id,
    [
      { from: host, to: machine, cut: true },
      { from: machine, to: host, cut: true },
    ],
    gained(() => context.world.network.counts.cut),
  );
};

/** A zone loses the others: its machines and its coordinator, and what the coordinator needs of etcd, whose quorum stands elsewhere. */
const zonePartition: Strike<'zone-partition'> = (fault, context) => {
  const az = azOf(context, fault.zone);
  const others = context.world.cloud.zones.filter((zone) => zone !== az);
  const conditions = others.flatMap((other): Condition[] => [
    { from: { az }, to: { az: other }, cut: true },
    { from: { az: other }, to: { az }, cut: true },
  ]);
  const inside = context.world.hosts.filter((host) => host.node.az === az);
  for (const host of inside) host.cutFromStore(fault.id, 'both');
  const network = impose(
    context,
    fault.id,
    conditions,
    gained(() => context.world.network.counts.cut),
  );
  return {
    undo: () => {
      network.undo();
      for (const host of inside) host.reachStore(fault.id);
    },
    happened: network.happened,
  };
};

export const NETWORK_STRIKES: StrikeTable<
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
