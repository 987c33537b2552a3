import {
  always,
  coordinatorOf,
  gained,
  machineOf,
  nothing,
  type Injection,
  type InjectionTable,
} from './active-fault.ts';

const coordinatorCrash: Injection<'coordinator-crash'> = (fault, context) => {
  const host = coordinatorOf(context, fault.coordinator);
  if (!host.isUp) return null;
  host.crash();
  return { undo: () => host.start(), happened: always };
};

const coordinatorNamesake: Injection<'coordinator-namesake'> = (fault, context) => {
  const { hosts } = context.cluster;
  const host = coordinatorOf(context, fault.coordinator);
  const other = hosts[(hosts.indexOf(host) + 1) % hosts.length];
  if (!host.isUp || other === undefined || other === host) return null;
  host.crash();
  host.start({ id: other.id });
  const misnamed = host.life;
  const undo = () => {
    if (host.life !== misnamed) return;
    host.crash();
    host.start();
  };
  return { undo, happened: gained(() => host.timesIdTaken) };
};

const agentCrash: Injection<'agent-crash'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine?.agentRuns) return null;
  machine.crashAgent();
  return { undo: () => machine.startAgent(), happened: always };
};

const agentPause: Injection<'agent-pause'> = (fault, context) => {
  const undo = machineOf(context, fault.member)?.pauseAgent() ?? null;
  return undo && { undo, happened: always };
};

const secondAgent: Injection<'second-agent'> = (fault, context) => {
  const undo = machineOf(context, fault.member)?.startSecondAgent() ?? null;
  return undo && { undo, happened: always };
};

const hookHang: Injection<'hook-hang'> = (fault, context) => {
  const workload = machineOf(context, fault.member)?.workload;
  if (!workload) return null;
  workload.hung = true;
  return {
    undo: () => {
      workload.hung = false;
    },
    happened: always,
  };
};

const coordinatorPause: Injection<'coordinator-pause'> = (fault, context) => {
  const host = coordinatorOf(context, fault.coordinator);
  if (!host.runs) return null;
  host.pause();
  return { undo: () => host.resume(), happened: always };
};

/** Begins when the call comes; `forMs` is then how long the process stands still. */
const pauseBeforeCall: Injection<'pause-before-call'> = (fault, context) => {
  const points = coordinatorOf(context, fault.coordinator).life?.points;
  if (!points) return null;
  let came = false;
  points.arm(fault.call, fault.nth, fault.forMs, () => {
    came = true;
  });
  return { undo: nothing, happened: () => came };
};

const clockRate: Injection<'clock-rate'> = (fault, context) => {
  const host = coordinatorOf(context, fault.coordinator);
  host.setRate(fault.rate);
  return { undo: () => host.setRate(1), happened: always };
};

/** A step stays: nobody sets the clock back. */
const clockStep: Injection<'clock-step'> = (fault, context) => {
  coordinatorOf(context, fault.coordinator).stepWall(fault.byMs);
  return { undo: nothing, happened: always };
};

const machineClockRate: Injection<'machine-clock-rate'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine) return null;
  machine.setRate(fault.rate);
  return { undo: () => machine.setRate(1), happened: always };
};

/**
 * Stays, as {@link clockStep}; the agent is started again, because that is when it looks at the
 * wall.
 */
const machineClockStep: Injection<'machine-clock-step'> = (fault, context) => {
  const machine = machineOf(context, fault.member);
  if (!machine?.agentRuns) return null;
  machine.stepWall(fault.byMs);
  machine.crashAgent();
  machine.startAgent();
  return { undo: nothing, happened: always };
};

export const PROCESS_INJECTIONS: InjectionTable<
  | 'coordinator-crash'
  | 'coordinator-namesake'
  | 'agent-crash'
  | 'agent-pause'
  | 'second-agent'
  | 'hook-hang'
  | 'coordinator-pause'
  | 'pause-before-call'
  | 'clock-rate'
  | 'clock-step'
  | 'machine-clock-rate'
  | 'machine-clock-step'
> = {
  'coordinator-crash': coordinatorCrash,
  'coordinator-namesake': coordinatorNamesake,
  'agent-crash': agentCrash,
  'agent-pause': agentPause,
  'second-agent': secondAgent,
  'hook-hang': hookHang,
  'coordinator-pause': coordinatorPause,
  'pause-before-call': pauseBeforeCall,
  'clock-rate': clockRate,
  'clock-step': clockStep,
  'machine-clock-rate': machineClockRate,
  'machine-clock-step': machineClockStep,
};
