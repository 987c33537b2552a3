import type {
  InstanceStateChange,
  RebootInstancesRequest,
  StartInstancesRequest,
  StartInstancesResult,
  StopInstancesRequest,
  StopInstancesResult,
  TerminateInstancesRequest,
  TerminateInstancesResult,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { firstReadsMs, slowBoot } from '../initialization.ts';
import type { LatencyName } from '../latency.ts';
import { need } from '../lookup.ts';
import { type SimInstance, switchRules } from '../model.ts';
import { type Call, faultOf, type Region } from '../region.ts';
import { userInitiated } from './common.ts';
import { stateView } from './instance-views.ts';
import { enter, finishLaunch, finishShuttingDown, finishStop, metalFactor } from './lifecycle.ts';
import { takeCapacity } from './capacity.ts';
import { requirePlaceAgain } from './capacity-reservations.ts';

const IDS_MAX = 1_000;
/** Duration at speed 1, in ms. */
const BUSY_MS = 600_000;
const LATE_WRITES_MS = 10_000;

const USER_SHUTDOWN = {
  code: 'Client.UserInitiatedShutdown',
  message: 'Client.UserInitiatedShutdown: User initiated shutdown',
} as const;

/** All named instances, or an error: a batch is all or nothing. */
function named(region: Region, call: Call, ids: readonly string[] | undefined): SimInstance[] {
  if (!ids || ids.length === 0) {
    throw new Ec2Error('MissingParameter', 'The request must contain the parameter InstanceId');
  }
  if (ids.length > IDS_MAX) throw new Ec2Error('InvalidParameterValue', `${ids.length} ids, at most ${IDS_MAX}`);
  const found = [...new Set(ids)].map((id) => need(call, region.instances, 'instance', id));
  for (const instance of found) region.requireZone(instance.az);
  return found;
}

const wrongState = (instance: SimInstance, verb: string): Ec2Error =>
  new Ec2Error(
    'IncorrectInstanceState',
    `The instance '${instance.id}' is not in a state from which it can be ${verb}.`,
  );

function change(before: SimInstance, after: SimInstance): InstanceStateChange {
  return { InstanceId: before.id, PreviousState: stateView(before.state), CurrentState: stateView(after.state) };
}

function requireNoProtection(region: Region, instance: SimInstance, verb: 'stop' | 'terminate'): void {
  if (switchRules(instance.stopProtection, region.nowMs)) {
    throw new Ec2Error(
      'OperationNotPermitted',
      `The instance '${instance.id}' may not be ${verb === 'stop' ? 'stopped' : 'terminated'}. Modify its 'disableApiStop' instance attribute and try again.`,
    );
  }
  if (verb === 'terminate' && switchRules(instance.terminationProtection, region.nowMs)) {
    throw new Ec2Error(
      'OperationNotPermitted',
      `The instance '${instance.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    );
  }
}

/**
 * Without force an instance can be stopped only from `running`, with force also from `pending` and
 * `stopping`. Repeats are harmless.
 */
function requireStoppable(region: Region, instance: SimInstance, force: boolean): void {
  if (instance.state === 'stopped' || instance.state === 'stopping') return;
  if (instance.state === 'running' || (instance.state === 'pending' && force)) {
    requireNoProtection(region, instance, 'stop');
    return;
  }
  throw wrongState(instance, 'stopped');
}

function repeatStop(region: Region, call: Call, instance: SimInstance, force: boolean): SimInstance {
  if (instance.state !== 'stopping' || !instance.stuck || !force || instance.forcedStopPending) return instance;
  const { id, generation } = instance;
  region.later(call, 'instance.stop-force-stuck', (_at, tookMs) => finishStop(region, id, generation, tookMs));
  return region.instances.update(id, { forcedStopPending: true }, region.nowMs) ?? instance;
}

/**
 * The latency of a stop. A guest that hangs does not answer its power button: EC2 waits for it
 * unless the shutdown of the OS is skipped.
 */
function stopName(instance: SimInstance, skipOsShutdown: boolean): LatencyName {
  if (skipOsShutdown || instance.state === 'pending') return 'instance.stop-skip-os';
  return instance.crashedAtMs === null ? 'instance.stop-graceful' : 'instance.stop-unresponsive';
}

function beginStop(region: Region, call: Call, instance: SimInstance, input: StopInstancesRequest): SimInstance {
  const fault = faultOf(call, 'stuck-stopping');
  const busy = faultOf(call, 'busy-after-stop');
  const late = faultOf(call, 'late-writes');
  const force = input.Force ?? false;
  const skipOsShutdown = input.SkipOsShutdown ?? false;
  const generation = instance.generation + 1;
  const asked = {
    generation,
    stateReason: USER_SHUTDOWN,
    transitionReason: userInitiated(region.wallMs()),
    runningSinceMs: null,
    stuck: fault !== undefined,
    forcedStopPending: fault !== undefined && force,
    lateWritesMs: late && force ? (late.delayMs ?? LATE_WRITES_MS / region.latency.speed) : null,
    busyAfterStopMs: busy ? (busy.delayMs ?? BUSY_MS / region.latency.speed) : null,
  };
  const { lateWritesMs } = asked;
  const detail = { force, skipOsShutdown, ...(lateWritesMs !== null && { lateWritesMs }) };
  const stopping = enter(region, instance, 'stopping', asked, null, detail, call.instant);
  const finish = (_at: number, tookMs: number) => finishStop(region, instance.id, generation, tookMs);
  if (!fault) {
    region.later(call, stopName(instance, skipOsShutdown), finish);
  } else if (fault.delayMs !== undefined && force) {
    region.laterIn(fault.delayMs, finish);
  } else if (force) {
    region.later(call, 'instance.stop-force-stuck', finish);
  }
  return stopping;
}

/** `StopInstances`. All instances here are EBS-backed. */
export function stopInstances(region: Region, call: Call, input: StopInstancesRequest): StopInstancesResult {
  const instances = named(region, call, input.InstanceIds);
  const force = input.Force ?? false;
  if (input.Hibernate) throw new Ec2Error('UnsupportedHibernationConfiguration', 'Hibernation is not simulated');
  for (const instance of instances) requireStoppable(region, instance, force);
  return {
    StoppingInstances: instances.map((before) => {
      const repeated = before.state === 'stopping' || before.state === 'stopped';
      const after = repeated ? repeatStop(region, call, before, force) : beginStop(region, call, before, input);
      return change(before, after);
    }),
  };
}

/** A root that is still on its way, to or from the instance, is none. */
function requireRoot(region: Region, one: SimInstance): void {
  const attachments = one.volumeIds.flatMap((id) => region.volumes.get(id)?.attachments ?? []);
  const root = attachments.find((a) => a.instanceId === one.id && a.device === one.rootDeviceName);
  if (root?.state === 'attached' || root?.state === 'busy') return;
  throw new Ec2Error(
    'IncorrectInstanceState',
    `Instance '${one.id}' does not have a volume attached at root (${one.rootDeviceName}): ${root?.state ?? 'none'}`,
  );
}

/** `StartInstances`. It needs capacity, as a launch does. */
export function startInstances(region: Region, call: Call, input: StartInstancesRequest): StartInstancesResult {
  const instances = named(region, call, input.InstanceIds);
  for (const one of instances) {
    if (!['stopped', 'pending', 'running'].includes(one.state)) throw wrongState(one, 'started');
    if (one.state === 'stopped') {
      requireRoot(region, one);
    }
  }
  const starting = instances.filter((one) => one.state === 'stopped');
  const wanted = Map.groupBy(starting, (one) => `${one.az}/${one.instanceType}`);
  for (const [first, ...rest] of wanted.values()) {
    const open = [first, ...rest].filter((one) => one && !requirePlaceAgain(region, call, one));
    if (first && open.length > 0) takeCapacity(region, call, first.az, first.instanceType, open.length);
  }
  return {
    StartingInstances: instances.map((before) => {
      if (before.state !== 'stopped') return change(before, before);
      const generation = before.generation + 1;
      const patch = { generation, stateReason: null, transitionReason: '', launchedAtWallMs: region.wallMs() };
      const after = enter(region, before, 'pending', patch);
      region.later(call, 'instance.pending', (_at, tookMs) =>
        finishLaunch(region, before.id, generation, tookMs, call.instant),
      );
      return change(before, after);
    }),
  };
}

/** `RebootInstances`. The state stays `running`; InstanceProcesses restarts the machine. */
export function rebootInstances(region: Region, call: Call, input: RebootInstancesRequest): object {
  for (const instance of named(region, call, input.InstanceIds)) {
    if (instance.state !== 'running') throw wrongState(instance, 'rebooted');
    region.later(call, 'instance.reboot', () => {
      const now = region.instances.get(instance.id);
      if (now?.state !== 'running' || now.generation !== instance.generation) return;
      const bootMs = firstReadsMs(region, now.volumeIds);
      const checksOkAtMs = region.nowMs + region.latency.sampleMs('instance.checks-ok') + bootMs;
      region.instances.update(now.id, { crashedAtMs: null, impairedFromMs: null, checksOkAtMs }, region.nowMs);
      const detail = { az: now.az, reboot: true, ...slowBoot(bootMs) };
      region.transition('instance', now.id, 'running', 'running', null, detail);
    });
  }
  return {};
}

function beginTermination(
  region: Region,
  call: Call,
  instance: SimInstance,
  input: TerminateInstancesRequest,
): SimInstance {
  const generation = instance.generation + 1;
  const stopped = instance.state === 'stopped';
  const asked = {
    generation,
    stateReason: USER_SHUTDOWN,
    transitionReason: userInitiated(region.wallMs()),
    runningSinceMs: null,
  };
  const skipOsShutdown = input.SkipOsShutdown ?? false;
  const ending = enter(region, instance, 'shutting-down', asked, null, { skipOsShutdown }, call.instant);
  const quick = skipOsShutdown || stopped;
  // An instance that hangs in `stopping` hangs in `shutting-down` too.
  const normal = quick ? 'instance.terminate-skip-os' : 'instance.terminate';
  const name = instance.stuck ? 'instance.stop-force-stuck' : normal;
  const tookMs = call.instant ? 0 : region.latency.sampleMs(name) * metalFactor(instance);
  region.laterIn(tookMs, () => finishShuttingDown(region, instance.id, generation, tookMs));
  return ending;
}

/** `TerminateInstances`: idempotent, all or nothing. */
export function terminateInstances(
  region: Region,
  call: Call,
  input: TerminateInstancesRequest,
): TerminateInstancesResult {
  const instances = named(region, call, input.InstanceIds);
  const ending = (one: SimInstance) => one.state === 'shutting-down' || one.state === 'terminated';
  for (const instance of instances) if (!ending(instance)) requireNoProtection(region, instance, 'terminate');
  return {
    TerminatingInstances: instances.map((before) =>
      change(before, ending(before) ? before : beginTermination(region, call, before, input)),
    ),
  };
}
