import { type CloudInstance, type CloudVolume, invariant, type OperationError, TAG, textOf } from '@understudy/shared';
import { type Assembly, type AssemblyMove, assemblyOf } from '../core/assembly.ts';
import { adviseOnLaunchError, type AttemptFailure } from '../core/launch-outcome.ts';
import { launchPlanOf } from '../core/launch-plan.ts';
import { isInQuarantine, memberTagsOf } from '../core/launch-request.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import type { RequestOf } from '../step-record.ts';
import { assembleCalls } from './assemble-calls.ts';
import { lockedHold, refusedForKey } from './locked-volumes.ts';
import { lockedOut } from './verify.ts';
import { ASSEMBLE, SEED } from './volume-records.ts';

type Request = RequestOf<typeof ASSEMBLE>;

interface Memory {
  /** When EC2 last said yes to each call of this run. */
  readonly askedAtMs: Map<string, number>;
  /** Since when the looks show a disk that somebody else has. */
  troubleSinceMs: number | null;
  /** EC2 has shown the user data to be what it is to be. */
  userDataSeen: boolean;
  /** What is missing, as the last look that worked showed it; null: none did. */
  missing: string | null;
}

/**
 * Makes the stopped seed of attempt n the member: its own root comes off, every disk is put on
 * under its device, user data is put back; then it is started. **S** (S27) It is started only from
 * a look that shows all disks attached and at rest, so a machine that wants one of them to boot has
 * it, and it never boots twice without. A call that lands late finds the disk where it is to be, or
 * an instance that is terminated: before another attempt gets the disks, this one is seen so.
 */
export function assembleStep(run: Run, attempt: number): Step<typeof ASSEMBLE> {
  const memory: Memory = { askedAtMs: new Map(), troubleSinceMs: null, userDataSeen: false, missing: null };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    prepare: async () => freeze(run, attempt),
    next: async (frozen, last) => {
      const { request } = frozen;
      const refusal = last && (await learn(run, memory, last));
      if (refusal) return refusal;
      const { instance, volumes } = await look(run, request);
      if (!instance) return wait(memory, `EC2 does not show ${request.instanceId}`);
      const assembly = assemblyOf(request, { instance, volumes });
      return (await ended(run, memory, request, instance, assembly)) ?? onward(run, memory, frozen, instance, assembly);
    },
    onTimeout: ({ request: { instanceId } }) =>
      memory.missing === null
        ? { kind: 'hold', reason: 'CloudUnavailable', text: `EC2 could not be asked about ${instanceId} and its disks` }
        : failed('instance', `${instanceId} could not be assembled: ${memory.missing}`),
  };
}

async function freeze(run: Run, attempt: number): Promise<Request> {
  const seed = run.journal.get(SEED, attempt)?.result;
  const sources = run.strategy.launchSources(run, run.seams);
  invariant(seed && 'instanceId' in seed && sources, `attempt ${attempt} has no stopped seed, or no disks`);
  const disks = sources.disks.flatMap(({ volume: { deviceName, volumeId: of }, source }) => {
    if (source.kind !== 'volume') return [];
    invariant(source.volumeId !== null, `the disk for ${of} has not been made`);
    return [{ volumeId: source.volumeId, deviceName }];
  });
  const { seed: image, launchBase } = launchPlanOf(run.plan);
  const root = disks.some((disk) => disk.deviceName === image?.rootDeviceName);
  invariant(root, 'a seed is given no root: it would boot as itself');
  const { instanceId, launchedAtWallMs: seedLaunchedAtWallMs, ownDisks } = seed;
  const plan = launchPlanOf(run.plan);
  const tags = isInQuarantine(plan, attempt) ? { tags: { ...memberTagsOf({ ...run.record, plan }) } } : {};
  return { ...tags, instanceId, seedLaunchedAtWallMs, ownDisks, disks, userData: textOf(launchBase.UserData) };
}

const failed = (failure: AttemptFailure, text: string, code = 'AssemblyFailed'): Move<typeof ASSEMBLE> => ({
  kind: 'failed',
  ...{ failure, code, text },
});

function wait(memory: Memory, text: string): Move<typeof ASSEMBLE> {
  memory.missing = text;
  return { kind: 'wait', text };
}

async function look(run: Run, { instanceId, disks, ownDisks }: Request) {
  const ids = [...disks, ...ownDisks].map((one) => one.volumeId);
  const [instances, volumes] = await Promise.all([
    run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options)),
    run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': ids }, options)),
  ]);
  const instance: CloudInstance | undefined = instances.find((one) => one.instanceId === instanceId);
  return { instance, volumes: volumes satisfies readonly CloudVolume[] };
}

/** What the answers to the last calls say for good; null: look. */
async function learn(run: Run, memory: Memory, { outcomes }: Attempt): Promise<Move<typeof ASSEMBLE> | null> {
  for (const { name, error } of outcomes) {
    if (error === null) memory.askedAtMs.set(name, run.nowMs());
    else memory.askedAtMs.delete(name);
  }
  for (const { name, error } of outcomes) {
    const refusal = error && name !== 'mark' ? await onError(run, error) : null;
    if (refusal) return refusal;
  }
  return null;
}

/** A conflict is looked at: the state forbids it now, or it was done already. */
async function onError(run: Run, error: OperationError): Promise<Move<typeof ASSEMBLE> | null> {
  const advice = adviseOnLaunchError(error);
  if (advice.kind === 'failed') return failed(advice.failure, error.message, error.upstreamCode ?? error.code);
  if (advice.kind !== 'refused') return null;
  if (advice.reason === 'KmsKeyUnusable') return refusedForKey(run, `EC2 refuses a disk: ${error.message}`);
  return { kind: 'hold', reason: advice.reason, text: `EC2 refuses to assemble the replacement: ${error.message}` };
}

/**
 * It was started, or is gone; null: it is stopped, as the seed was. A look from before the stop
 * shows the seed's own start, and says nothing.
 */
async function ended(
  run: Run,
  memory: Memory,
  request: Request,
  instance: CloudInstance,
  { isWhole }: Assembly,
): Promise<Move<typeof ASSEMBLE> | null> {
  const { instanceId, state } = instance;
  if (state === 'terminated' || state === 'shutting-down')
    return (await lockedOut(run, instance)) ?? failed('instance', `${instanceId} is ${state}`);
  if (instance.launchedAtWallMs === request.seedLaunchedAtWallMs) return null;
  // It is started only from a look that shows it whole: one that does not is from before.
  if (state === 'pending' || state === 'running')
    return isWhole
      ? { kind: 'done', result: { instanceId } }
      : wait(memory, `${instanceId} is ${state}, and not seen with all its disks`);
  if (instance.stateReasonCode?.includes('InsufficientInstanceCapacity'))
    return failed('capacity', `${instanceId} was not started: ${instance.stateReasonText ?? 'no capacity'}`);
  const why = instance.stateReasonText ?? instance.stateReasonCode;
  return failed('instance', `${instanceId} was started and is ${state}${why ? ` (${why})` : ''}`);
}

async function onward(
  run: Run,
  memory: Memory,
  { request, sends }: Frozen<typeof ASSEMBLE>,
  instance: CloudInstance,
  { isWhole, moves, waits, trouble }: Assembly,
): Promise<Move<typeof ASSEMBLE>> {
  const { instanceId, state } = instance;
  if (state !== 'stopped') return wait(memory, `the look at ${instanceId} (${state}) is from before it stopped`);
  memory.troubleSinceMs = trouble === null ? null : (memory.troubleSinceMs ?? run.nowMs());
  if (trouble !== null) return troubled(run, memory, `${trouble}, not to ${instanceId}`);
  const userData = await userDataCall(run, memory, request);
  const tags = tagsCall(request, instance);
  const calls = [...tags, ...moves.flatMap((move) => callsOf(run, request, move)), ...userData];
  const due = calls.filter((call) => isDue(run, memory, call.name));
  const [first, ...more] = due;
  if (first) {
    const locked = moves.some((one) => one.kind === 'attach') ? await lockedHold(run) : null;
    memory.missing = waits.join('; ') || 'its disks were being moved';
    return locked ?? { kind: 'act', text: `giving ${instanceId} its disks`, calls: [first, ...more] };
  }
  if (!isWhole || calls.length > 0)
    return wait(memory, `waiting for ${[...waits, ...calls.map(textOfCall)].join('; ')}`);
  if (!isDue(run, memory, 'start')) return wait(memory, `waiting for ${instanceId} to start`);
  memory.missing = `it has all its disks, and was asked to start ${sends.start ?? 0} times`;
  const start: Call = { name: 'start', run: (cloud, options) => cloud.startInstance(instanceId, options) };
  return { kind: 'act', text: `starting ${instanceId} with all its disks`, calls: [start] };
}

/** What an earlier attempt had may be shown as its own for a while. */
function troubled(run: Run, memory: Memory, text: string): Move<typeof ASSEMBLE> {
  const forMs = run.nowMs() - (memory.troubleSinceMs ?? run.nowMs());
  return forMs < run.settings.lagGraceMs ? wait(memory, text) : { kind: 'hold', reason: 'VolumeNotFree', text };
}

const textOfCall = ({ name }: Call): string => name.replace('-', ' of ');

/** What EC2 has said yes to is not asked for again in haste. Every call is harmless twice. */
const isDue = (run: Run, { askedAtMs }: Memory, name: string): boolean =>
  run.nowMs() - (askedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) >= run.settings.lagGraceMs;

function callsOf(run: Run, { instanceId, ownDisks }: Request, move: AssemblyMove): readonly Call[] {
  if (move.kind === 'keep') {
    const { deviceName } = move;
    return [
      {
        name: `keep-${deviceName}`,
        run: (cloud, options) => cloud.setDeleteOnTermination(instanceId, deviceName, false, options),
      },
    ];
  }
  const { kind, place } = move;
  const name = `${kind}-${place.volumeId}`;
  if (kind === 'attach') return [{ name, run: (cloud, options) => cloud.attachVolume(place, options) }];
  const isOwn = ownDisks.some((one) => one.volumeId === place.volumeId);
  return [
    { name, run: (cloud, options) => cloud.detachVolume(place, options) },
    ...(isOwn ? [markCall(run, place.volumeId)] : []),
  ];
}

/** The seed's own disk is nobody's from now on: the mark lets it be removed. */
function markCall(run: Run, volumeId: string): Call {
  const tags = { [TAG.retiredBy]: run.record.opId };
  return { name: 'mark', optional: true, run: (cloud, options) => cloud.createTags([volumeId], tags, options) };
}

/** Empty: it carries what it is to carry. It is nobody's rival: the intent of its mark is open. */
function tagsCall({ instanceId, tags = {} }: Request, instance: CloudInstance): readonly Call[] {
  const isWhole = Object.entries(tags).every(([key, value]) => instance.tags[key] === value);
  return isWhole ? [] : [{ name: 'tags', run: (cloud, options) => cloud.createTags([instanceId], tags, options) }];
}

/** Empty: it is what it is to be. */
async function userDataCall(run: Run, memory: Memory, { instanceId, userData }: Request): Promise<readonly Call[]> {
  if (userData === null || memory.userDataSeen) return [];
  const seen = await run.read((cloud, options) => cloud.describeUserData(instanceId, options));
  memory.userDataSeen = seen === userData;
  if (memory.userDataSeen) return [];
  return [{ name: 'userData', run: (cloud, options) => cloud.setUserData(instanceId, userData, options) }];
}

export const assembleKind = stepKind(ASSEMBLE, (run, { attempt }) => assembleStep(run, attempt), assembleCalls);
