import { type Cloud, type CloudCallOptions, type CloudInstance, errorText } from '@understudy/shared';
import {
  decideFence,
  type RestlessVolume,
  restlessVolumes,
  type StopMode,
  stopModes,
  unprovenText,
} from '../core/fence-decision.ts';
import { hasLanded, isStopOpen, mayHaveBeenDown } from '../core/open-stops.ts';
import { answersIn, type Attempt, type Call, type Frozen, type Move, type Step } from '../effect.ts';
import { isPassing, type Run } from '../run.ts';
import { brokenPromise, leaseFence } from './serve-lease-fence.ts';
import { fenceCalls, fenceMarks } from './fence-calls.ts';
import { FENCE } from './fence-record.ts';
import { stepKind } from '../step-kind.ts';

/** What this run has seen; a successor starts blank and looks for itself. */
interface Memory {
  askedAtMs: number | null;
  sawMoving: boolean;
  stoppedSinceMs: number | null;
  /** Index into the stop modes: how often EC2 refused the manner. */
  modeIndex: number;
  /** The newest Stop may never have arrived: it is repeated sooner. */
  doubtful: boolean;
  /** Stops of this run that EC2 has answered. */
  answered: number;
  /** EC2 has said yes to one of them. */
  taken: boolean;
  /** A stop was seen that a leader before has asked for. */
  landedBefore: boolean;
  /** Why EC2 refused the manner it was asked for last. */
  refusal: string;
  /** What the newest look that worked has shown; `undefined`: none has. */
  state: CloudInstance['state'] | null | undefined;
  restless: readonly RestlessVolume[];
}

/**
 * Makes the old instance unable to act, proven by observation. Stop is idempotent, so every doubt
 * is answered by asking again; nothing is believed of a reply. Where the group opted in, an
 * instance that EC2 cannot be seen to stop is waited out by its serve lease. Clears stop protection
 * where it is in the way (the plan keeps it for the replacement).
 */
export function fenceStep(run: Run): Step<typeof FENCE> {
  const memory: Memory = {
    askedAtMs: null,
    sawMoving: false,
    stoppedSinceMs: null,
    modeIndex: 0,
    doubtful: false,
    answered: 0,
    taken: false,
    landedBefore: false,
    refusal: '',
    state: undefined,
    restless: [],
  };
  const { oldInstanceId } = run.record;
  return {
    limitMs: run.policy.recover.fenceTimeoutMs,
    prepare: async () => ({ oldInstanceId, skipOsShutdown: run.policy.recover.fenceSkipOsShutdown }),
    next: async (frozen, last) => {
      if (frozen.sends.mark === undefined && nothingSent(frozen))
        return act(markCall(run), 'marking the old instance as about to be stopped by us');
      if (!nothingSent(frozen) && leaseFence(run).kind === 'over') {
        const state = await stateNow(run, oldInstanceId);
        if (state !== 'stopped' && state !== 'terminated') return byLease(run);
      }
      const modes = stopModes(frozen.request.skipOsShutdown);
      const afterStop = last?.name === 'stop' ? learn(run, memory, last) : 'look';
      if (afterStop === 'unprotect') return act(unprotectCall(oldInstanceId), 'clearing stop protection');
      const mode = modes[memory.modeIndex];
      if (mode === undefined) return refused(run, memory);
      const stop = act(stopCall(oldInstanceId, mode), 'asking EC2 to stop the old instance');
      if (last?.name === 'unprotect' && last.error === null) return stop;
      if (nothingSent(frozen) || afterStop === 'again') {
        return run.plan.protection.stop && frozen.sends.unprotect === undefined
          ? act(unprotectCall(oldInstanceId), 'clearing stop protection')
          : stop;
      }
      const instance = await describe(run, oldInstanceId);
      if (instance && memory.answered === 0 && memory.askedAtMs === null)
        memory.landedBefore ||= hasLanded(instance, mayHaveBeenDown(run.plan));
      return noteOpenStops(run, frozen, { memory, instance }, await settle(run, memory, instance, stop));
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: unprovenText({
        instanceId: oldInstanceId,
        state: memory.state ?? null,
        unasked: memory.askedAtMs === null,
        unseen: memory.state === undefined,
        restless: memory.restless,
        limitMs: run.policy.recover.fenceTimeoutMs,
      }),
    }),
  };
}

/** A mark is no request to stop. */
const nothingSent = ({ sends }: Frozen<typeof FENCE>): boolean => Object.keys(sends).every((name) => name === 'mark');

/** A fence never waits longer for its mark. */
const MARK_LIMIT_MS = 2_000;

/**
 * Says on the instance that its stop is ours: what stands in etcd may be gone when somebody asks.
 * Once per recovery, before the stop; a mark that fails, or takes long, stops nothing, because then
 * the records in etcd are trace enough.
 */
function markCall(run: Run): Call {
  const { oldInstanceId, opId } = run.record;
  const { clock, log } = run.parts;
  const tags = fenceMarks(opId, run.plan.oldLaunchedAtWallMs);
  const mark = async (cloud: Cloud, options: CloudCallOptions): Promise<void> => {
    const enough = new AbortController();
    const marked = cloud
      .createTags([oldInstanceId], tags, options)
      .catch((error: unknown) => log.warn('recovery.fence.unmarked', { oldInstanceId, error: errorText(error) }))
      .finally(() => enough.abort());
    await Promise.race([marked, clock.sleep(MARK_LIMIT_MS, enough.signal).catch(() => undefined)]);
  };
  return { name: 'mark', optional: true, run: mark };
}

const act = (call: Call, text: string): Move<typeof FENCE> => ({ kind: 'act', calls: [call], text });

const stopCall = (instanceId: string, mode: StopMode): Call => ({
  name: 'stop',
  run: (cloud, options) => cloud.stopInstance(instanceId, mode, options),
});

const unprotectCall = (instanceId: string): Call => ({
  name: 'unprotect',
  run: (cloud, options) => cloud.setProtection(instanceId, { stop: false }, options),
});

/** Nothing is left to ask for. Perhaps it stops by itself; perhaps its serve lease counts. */
async function refused(run: Run, memory: Memory): Promise<Move<typeof FENCE>> {
  if ((await stateNow(run, run.record.oldInstanceId)) === 'terminated')
    return { kind: 'done', result: { how: 'terminated' } };
  const lease = leaseFence(run);
  if (lease.kind === 'running')
    return {
      kind: 'wait',
      text: `EC2 refuses to stop it; its serve lease is over in ${Math.ceil(lease.leftMs / 1_000)} s`,
    };
  return {
    kind: 'hold',
    reason: 'FenceNotProven',
    text: `EC2 refuses to stop the old instance in any manner: ${memory.refusal}`,
  };
}

/** A look that may fail: then nothing was seen, which is what a lease is waited out for. */
async function stateNow(run: Run, instanceId: string): Promise<CloudInstance['state'] | null> {
  try {
    return (await describe(run, instanceId))?.state ?? null;
  } catch (error) {
    if (isPassing(error)) return null;
    throw error;
  }
}

/**
 * **S** The one way past an observed fence, for groups that opted in, after EC2 was asked to stop
 * it and was looked at once more: see `recovery/src/core/serve-lease`.
 */
function byLease(run: Run): Move<typeof FENCE> {
  const broken = brokenPromise(run);
  if (broken) return broken;
  const { oldInstanceId, serveLeaseOverAfterMs } = run.record;
  run.parts.log.warn('recovery.fence.by_lease', { oldInstanceId, serveLeaseOverAfterMs });
  return { kind: 'done', result: { how: 'lease' } };
}

/**
 * A Stop whose outcome nobody knows, of whatever leader, may land at any later time: whoever starts
 * the instance again has to know.
 */
function noteOpenStops(
  { plan }: Run,
  { sends }: Frozen<typeof FENCE>,
  { memory, instance }: { readonly memory: Memory; readonly instance: CloudInstance | null },
  move: Move<typeof FENCE>,
): Move<typeof FENCE> {
  if (move.kind !== 'done' || move.result.how !== 'stopped' || instance === null) return move;
  const isOpen = isStopOpen({ ...memory, sent: sends.stop ?? 0, seen: instance }, mayHaveBeenDown(plan));
  return isOpen ? { ...move, result: { ...move.result, stopIsOpen: true } } : move;
}

/** What the answer to a Stop means. */
function learn(run: Run, memory: Memory, last: Attempt): 'look' | 'again' | 'unprotect' {
  const { error } = last;
  memory.answered += answersIn(last);
  if (error === null) memory.taken = true;
  if (error?.upstreamCode === 'OperationNotPermitted') return 'unprotect';
  if (error?.code === 'CLOUD_REJECTED') {
    memory.modeIndex += 1;
    memory.refusal = error.message;
    return 'again';
  }
  if (error?.code === 'CLOUD_THROTTLED' || error?.code === 'CLOUD_UNAVAILABLE') return 'again';
  memory.askedAtMs = run.nowMs();
  memory.doubtful = error?.code === 'CLOUD_OUTCOME_UNKNOWN';
  memory.stoppedSinceMs = null;
  return 'look';
}

async function describe(run: Run, instanceId: string): Promise<CloudInstance | null> {
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [instanceId] }, { ...options, urgency: 'safety' }),
  );
  return found.find((one) => one.instanceId === instanceId) ?? null;
}

async function settle(
  run: Run,
  memory: Memory,
  instance: CloudInstance | null,
  stop: Move<typeof FENCE>,
): Promise<Move<typeof FENCE>> {
  const nowMs = run.nowMs();
  const state = instance?.state ?? null;
  memory.state = state;
  memory.restless = [];
  if (state !== null && state !== 'stopped') memory.sawMoving = true;
  if (state !== 'stopped' || memory.askedAtMs === null) memory.stoppedSinceMs = null;
  else memory.stoppedSinceMs ??= nowMs;
  const { confirmSpacingMs } = run.settings;
  const restopAfterMs = memory.doubtful && state === 'running' ? confirmSpacingMs : run.settings.restopAfterMs;
  const verdict = decideFence({ ...memory, state, nowMs }, { confirmSpacingMs, restopAfterMs });
  if (verdict.kind === 'stop') return stop;
  if (verdict.kind === 'wait') {
    return state === 'stopped' ? { ...verdict, forMs: confirmSpacingMs } : verdict;
  }
  if (verdict.how === 'terminated') return { kind: 'done', result: { how: verdict.how } };
  return volumesAtRest(run, memory);
}

/**
 * A forced stop may leave attachments, and rarely writes, in motion: nothing is captured before
 * they have come to rest.
 */
async function volumesAtRest(run: Run, memory: Memory): Promise<Move<typeof FENCE>> {
  const volumeIds = run.plan.volumes.map((volume) => volume.volumeId);
  const volumes = await run.read((cloud, options) =>
    cloud.describeVolumes({ 'volume-id': volumeIds }, { ...options, urgency: 'safety' }),
  );
  const restless = restlessVolumes(volumes, run.record.oldInstanceId);
  memory.restless = restless;
  if (restless.length === 0) return { kind: 'done', result: { how: 'stopped' } };
  const list = restless.map(({ volumeId, deviceName, state }) => `${volumeId} (${deviceName}, ${state})`).join(', ');
  return { kind: 'wait', text: `stopped; waiting for ${list} to come to rest` };
}

export const fenceKind = stepKind(FENCE, fenceStep, fenceCalls);
