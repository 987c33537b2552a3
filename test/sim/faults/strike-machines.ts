import { always, machineOf, nothing, type Strike, type StrikeTable } from './struck.ts';

const guestCrash: Strike<'guest-crash'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine || !context.world.cloud.crashInstance(machine.identity.instanceId)) return null;
  return { undo: nothing, happened: always };
};

const hostFailure: Strike<'host-failure'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  const { cloud } = context.world;
  if (!machine || !cloud.takeDown(machine.identity.instanceId, 'Server.InternalError', 'stop')) return null;
  return { undo: nothing, happened: always };
};

const machinePause: Strike<'machine-pause'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine || machine.isPaused) return null;
  machine.pause();
  return { undo: () => machine.resume(), happened: always };
};

const machineCutOff: Strike<'machine-cut-off'> = (fault, context) => {
  const { network } = context.world;
  const machine = machineOf(context, fault.member);
  if (!machine) return null;
  const { name } = machine.node;
  const before = network.counts.cut;
  network.impose(`${fault.id}/out`, { from: { role: 'agent', name }, to: {}, cut: true });
  network.impose(`${fault.id}/in`, { from: {}, to: { role: 'agent', name }, cut: true });
  context.world.healthChanged();
  return {
    undo: () => {
      network.lift(`${fault.id}/out`);
      network.lift(`${fault.id}/in`);
      context.world.healthChanged();
    },
    happened: () => network.counts.cut > before,
  };
};

const spoiledReplacement: Strike<'spoiled-replacement'> = (fault, { world }) => {
  const before = world.machines.spoiledCount;
  world.machines.spoilNext(fault.count);
  return { undo: () => world.machines.forgiveSpoiled(), happened: () => world.machines.spoiledCount > before };
};

export const MACHINE_STRIKES: StrikeTable<
  'guest-crash' | 'host-failure' | 'machine-pause' | 'machine-cut-off' | 'spoiled-replacement'
> = {
  'guest-crash': guestCrash,
  'host-failure': hostFailure,
  'machine-pause': machinePause,
  'machine-cut-off': machineCutOff,
  'spoiled-replacement': spoiledReplacement,
};
