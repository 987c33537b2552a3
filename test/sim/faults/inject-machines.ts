import { always, machineOf, nothing, type Injection, type InjectionTable } from './active-fault.ts';

const guestCrash: Injection<'guest-crash'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine || !context.cluster.cloud.crashInstance(machine.identity.instanceId)) return null;
  return { undo: nothing, happened: always };
};

const hostFailure: Injection<'host-failure'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  const { cloud } = context.cluster;
  if (!machine || !cloud.takeDown(machine.identity.instanceId, 'Server.InternalError', 'stop')) return null;
  return { undo: nothing, happened: always };
};

/** It counts when the instance came back: mostly it was stopped before. */
const autoRecovery: Injection<'auto-recovery'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  const { cloud } = context.cluster;
  const { instanceId } = machine?.identity ?? { instanceId: '' };
  if (!cloud.failHost(instanceId, fault.forMs)) return null;
  const hasComeBack = () => cloud.log.transitions(instanceId).some((one) => one.detail['recovered'] === true);
  return { undo: nothing, happened: hasComeBack };
};

const volumesImpaired: Injection<'volumes-impaired'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  const { cloud } = context.cluster;
  const { instanceId } = machine?.identity ?? { instanceId: '' };
  const { volumes } = cloud.core.region;
  const own = volumes.all().filter((one) => one.attachments.some((at) => at.instanceId === instanceId));
  if (own.length === 0 || !cloud.crashInstance(instanceId)) return null;
  for (const { id } of own) cloud.holdBackIo(id);
  const giveBack = (): void => {
    for (const { id } of own) volumes.update(id, { ioEnabled: true }, cloud.core.region.nowMs);
  };
  return { undo: giveBack, happened: always };
};

const machinePause: Injection<'machine-pause'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine || machine.isPaused) return null;
  machine.pause();
  return { undo: () => machine.resume(), happened: always };
};

const machineCutOff: Injection<'machine-cut-off'> = (fault, context) => {
  const { network } = context.cluster;
  const machine = machineOf(context, fault.member);
  if (!machine) return null;
  const { name } = machine.node;
  const before = network.counts.cut;
  network.impose(`${fault.id}/out`, { from: { role: 'agent', name }, to: {}, cut: true });
  network.impose(`${fault.id}/in`, { from: {}, to: { role: 'agent', name }, cut: true });
  context.cluster.healthChanged();
  return {
    undo: () => {
      network.lift(`${fault.id}/out`);
      network.lift(`${fault.id}/in`);
      context.cluster.healthChanged();
    },
    happened: () => network.counts.cut > before,
  };
};

const spoiledReplacement: Injection<'spoiled-replacement'> = (fault, { cluster }) => {
  const before = cluster.machines.spoiledCount;
  cluster.machines.spoilNext(fault.count);
  return { undo: () => cluster.machines.forgiveSpoiled(), happened: () => cluster.machines.spoiledCount > before };
};

export const MACHINE_INJECTIONS: InjectionTable<
  | 'guest-crash'
  | 'host-failure'
  | 'auto-recovery'
  | 'volumes-impaired'
  | 'machine-pause'
  | 'machine-cut-off'
  | 'spoiled-replacement'
> = {
  'guest-crash': guestCrash,
  'host-failure': hostFailure,
  'auto-recovery': autoRecovery,
  'volumes-impaired': volumesImpaired,
  'machine-pause': machinePause,
  'machine-cut-off': machineCutOff,
  'spoiled-replacement': spoiledReplacement,
};
