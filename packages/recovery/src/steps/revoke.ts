import {
  type CloudInstance,
  type CloudNetworkInterface,
  invariant,
  type OperationError,
  TAG,
} from '@understudy/shared';
import { stepId } from '../core/step-id.ts';
import type { AttemptFailure } from '../core/launch-outcome.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import type { Run } from '../run.ts';
import type { RequestOf } from '../step-record.ts';
import { endedAttempts, recordsToDrop } from './attempts.ts';
import { lookForLaunch, severalFound } from './look-for-launch.ts';
import { revokeCalls } from './attempt-calls.ts';
import { LAUNCH, PERMIT, REVOKE, VERIFY } from './attempt-records.ts';
import { giveVolumesBack, isLent, isMadeByLaunch, type VolumesGivenBack } from './given-back.ts';
import { ASSEMBLE, SEED } from './volume-records.ts';
import { stepKind } from '../step-kind.ts';

type Request = RequestOf<typeof REVOKE>;

interface Memory {
  /** The replacement that failed is seen terminated, or there is none. */
  instanceGone: boolean;
  readonly volumes: VolumesGivenBack;
  /** This run has asked for the removal of what came with the seed. */
  seedDisksAsked: boolean;
  terminateAsked: boolean;
  /**
   * Calls of this run that let its disks go with it; what an earlier leader recorded may never have
   * been sent.
   */
  releases: number;
  released: boolean;
  /** Monotonic: when this run began to end the attempt. The permit had been made before. */
  readonly beganAtMs: number;
  /** As the newest look showed them; null: not shown, or not looked. */
  instanceState: CloudInstance['state'] | null;
  permitState: string | null;
  /** A look of this run has shown the permit. */
  permitSeen: boolean;
  /**
   * Monotonic: first of the unbroken run of looks that did not show the permit, after EC2 confirmed
   * its deletion.
   */
  goneSinceMs: number | null;
  /** EC2 has answered a deletion of this run with success. */
  deleted: boolean;
  /** ... or with a "not found" that counts, and has not shown the permit since. */
  notFound: boolean;
}

/**
 * Ends attempt n for good, so that attempt n + 1 may begin: what it launched is observed
 * terminated, and its permit is confirmed gone, so that no late or repeated launch call of this
 * attempt can ever succeed. A permit in use means it launched after all: adopted.
 */
export function revokeStep(run: Run, attempt: number): Step<typeof REVOKE> {
  const memory: Memory = {
    instanceGone: false,
    volumes: { stopAskedAtMs: null, modeIndex: 0 },
    seedDisksAsked: false,
    terminateAsked: false,
    releases: 0,
    released: false,
    beganAtMs: run.nowMs(),
    instanceState: null,
    permitState: null,
    permitSeen: false,
    goneSinceMs: null,
    deleted: false,
    notFound: false,
  };
  return {
    // The patience that an unseen permit may take comes on top, for a successor, too.
    limitMs: run.policy.recover.fenceTimeoutMs + run.settings.lagGraceMs,
    floorMs: run.settings.resumeFloorMs + run.settings.lagGraceMs,
    prepare: async () => describeEnd(run, attempt),
    next: async (frozen, last) => {
      const { request } = frozen;
      if (!memory.instanceGone && request.instanceId !== null) {
        const move = await endInstance(run, memory, last, request.instanceId);
        if (move) return move;
      }
      const seedDisks = removeSeedDisks(run, attempt, memory);
      if (seedDisks) return seedDisks;
      return endPermit(run, attempt, memory, frozen, last);
    },
    onTimeout: (frozen) => ({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: `launch attempt ${attempt} cannot be ended: ${whatIsLeft(memory, frozen.request)}`,
    }),
  };
}

/** What keeps the attempt from being ended, as it was seen. */
function whatIsLeft(memory: Memory, { instanceId, networkInterfaceId }: Request): string {
  if (instanceId !== null && !memory.instanceGone)
    return `its replacement ${instanceId} was not seen terminated${memory.instanceState === null ? '' : ` (it is ${memory.instanceState})`}`;
  const permit = networkInterfaceId ?? 'its permit';
  if (memory.permitState !== null) return `${permit} is still shown (${memory.permitState})`;
  return memory.deleted || memory.notFound
    ? `${permit} is not shown any more, but that nothing was launched with it could not be read`
    : `${permit} is not shown, and EC2 has not confirmed that it is deleted`;
}

/** EC2's texts can have thousands of characters, and there may be many attempts. */
const TEXT_MAX = 400;

/** Why the attempt ended and what it may have left behind, from the journal. */
function describeEnd(run: Run, attempt: number): Request {
  const permit = run.journal.get(PERMIT, attempt);
  const launch = run.journal.get(LAUNCH, attempt);
  const verify = run.journal.get(VERIFY, attempt);
  const [seed, assemble] = [run.journal.get(SEED, attempt), run.journal.get(ASSEMBLE, attempt)];
  const failed = [verify, assemble, seed, launch, permit].find((entry) => entry?.state === 'failed');
  invariant(failed && permit?.request, `attempt ${attempt} has not failed`);
  const failure: AttemptFailure = failed.result && 'failure' in failed.result ? failed.result.failure : 'instance';
  const made = permit.result && 'networkInterfaceId' in permit.result ? permit.result.networkInterfaceId : null;
  const before = endedAttempts(run, attempt).at(-1);
  const goesOn = before?.round === permit.request.round && before.seriesLength > 0 ? before : null;
  const series =
    failure === 'instance'
      ? { seriesLength: 0, seriesSinceWallMs: run.wallMs() }
      : {
          seriesLength: (goesOn?.seriesLength ?? 0) + 1,
          seriesSinceWallMs: goesOn?.seriesSinceWallMs ?? failed.startedAtWallMs,
        };
  return {
    round: permit.request.round,
    candidateIndex: permit.request.candidateIndex,
    failure,
    text: (failed.error?.text ?? 'no reason kept').slice(0, TEXT_MAX),
    ...series,
    instanceId: launch?.result && 'instanceId' in launch.result ? launch.result.instanceId : null,
    networkInterfaceId: made,
  };
}

const act = (first: Call, text: string, ...more: readonly Call[]): Move<typeof REVOKE> => ({
  kind: 'act',
  calls: [first, ...more],
  text,
});

/** Disks that cannot be marked must not keep a failed replacement alive. */
const RELEASE_TRIES = 3;

/** null: it is seen terminated. */
async function endInstance(
  run: Run,
  memory: Memory,
  last: Attempt | null,
  instanceId: string,
): Promise<Move<typeof REVOKE> | null> {
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  const instance = found.find((one) => one.instanceId === instanceId);
  memory.instanceState = instance?.state ?? null;
  if (instance?.state === 'terminated') {
    memory.instanceGone = true;
    return null;
  }
  if (instance) {
    const back = giveVolumesBack(run, memory.volumes, instance, last);
    if (back) return back;
  }
  const releasable = instance && instance.state !== 'shutting-down' ? instance.volumes : [];
  const [keeper, ...others] = releasable.filter(
    ({ volumeId, deviceName, deleteOnTermination }) =>
      !deleteOnTermination && !isLent(run, volumeId) && isMadeByLaunch(run, deviceName),
  );
  if (last?.name === 'release' && last.error === null) memory.released = true;
  if (keeper && !memory.released && memory.releases < RELEASE_TRIES) {
    memory.releases += 1;
    const release = (volume: typeof keeper): Call => releaseCall(instanceId, volume.deviceName);
    return act(release(keeper), 'letting the disks of the failed replacement go with it', ...others.map(release));
  }
  if (!memory.terminateAsked) {
    return act(
      {
        name: 'terminate',
        run: async (cloud, options) => {
          await cloud.terminateInstance(instanceId, options);
          memory.terminateAsked = true;
        },
      },
      `terminating the replacement ${instanceId} that failed`,
    );
  }
  return { kind: 'wait', text: `waiting for the failed replacement ${instanceId} to terminate` };
}

/**
 * Its own disks are copies nobody has served from: they go with it. **S** (S27) Those that are the
 * member's have been given back before, and what somebody else has attached to it stays. What
 * cannot be marked is left tagged, and costs money, not safety.
 */
const releaseCall = (instanceId: string, deviceName: string): Call => ({
  name: 'release',
  run: (cloud, options) => cloud.setDeleteOnTermination(instanceId, deviceName, true, options),
});

/**
 * What came with the seed and was taken off it would outlive it. Asked once: what is left over is
 * marked, and reported. null: nothing is.
 */
function removeSeedDisks(run: Run, attempt: number, memory: Memory): Move<typeof REVOKE> | null {
  const seed = run.journal.get(SEED, attempt)?.result;
  if (memory.seedDisksAsked || !seed || !('ownDisks' in seed)) return null;
  memory.seedDisksAsked = true;
  const [first, ...more] = seed.ownDisks.map(
    ({ volumeId }): Call => ({
      name: 'remove',
      optional: true,
      run: (cloud, options) => cloud.deleteVolume(volumeId, options),
    }),
  );
  return first ? act(first, 'removing the disks of the seed', ...more) : null;
}

async function permitsLeft(run: Run, attempt: number, request: Request): Promise<readonly CloudNetworkInterface[]> {
  const filters =
    request.networkInterfaceId === null
      ? { [`tag:${TAG.op}`]: [run.record.opId], [`tag:${TAG.attempt}`]: [String(attempt)] }
      : { 'network-interface-id': [request.networkInterfaceId] };
  return run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
}

async function endPermit(
  run: Run,
  attempt: number,
  memory: Memory,
  frozen: Frozen<typeof REVOKE>,
  last: Attempt | null,
): Promise<Move<typeof REVOKE>> {
  const { request } = frozen;
  if (last?.name === 'delete') noteDeletion(run, memory, last.error);
  const left = await permitsLeft(run, attempt, request);
  memory.permitState = left[0]?.state ?? null;
  if (left.length > 0) {
    memory.permitSeen = true;
    memory.notFound = false;
  }
  const holder = left.find((one) => one.attachedInstanceId !== null);
  if (holder) {
    memory.goneSinceMs = null;
    return inUse(run, attempt, request, holder);
  }
  const target = left[0]?.networkInterfaceId ?? request.networkInterfaceId;
  // What EC2 does not show it may only not show yet: without its own word on a deletion, silence
  // proves nothing.
  if (target !== null && (left.length > 0 || (!memory.deleted && !memory.notFound))) {
    memory.goneSinceMs = null;
    return deletePermit(run, target, last);
  }
  memory.goneSinceMs ??= run.nowMs();
  if (run.nowMs() - memory.goneSinceMs < run.settings.confirmSpacingMs) {
    return {
      kind: 'wait',
      text: 'the launch permit reads as gone: reading once more',
      forMs: run.settings.confirmSpacingMs,
    };
  }
  return lastLook(run, attempt, request);
}

/**
 * **S** (S7): EC2 says "not found" also of an interface it does not know *yet*, and then no number
 * of looks that show nothing proves it gone: a late launch could still use it. So only of one that
 * it has shown, or that is older than EC2 takes to know what it made. Counted on our own monotonic
 * clock from the beginning of this run: wall clocks may step, and earlier leaders' looks went to
 * other replicas.
 */
function noteDeletion(run: Run, memory: Memory, error: OperationError | null): void {
  if (error === null) memory.deleted = true;
  if (error?.code !== 'CLOUD_NOT_FOUND') return;
  const known = memory.permitSeen || run.nowMs() - memory.beganAtMs >= run.settings.lagGraceMs;
  if (known) memory.notFound = true;
}

function deletePermit(run: Run, networkInterfaceId: string, last: Attempt | null): Move<typeof REVOKE> {
  // Deleted a moment ago and still shown: an outdated read, or a deletion that was refused. Both
  // want a pause.
  if (last?.name === 'delete' && last.error === null) {
    return { kind: 'wait', text: 'waiting for the launch permit to disappear', forMs: run.settings.confirmSpacingMs };
  }
  return act(
    {
      name: 'delete',
      run: (cloud, options) => cloud.deleteNetworkInterface(networkInterfaceId, options),
    },
    `deleting the launch permit ${networkInterfaceId}`,
  );
}

/**
 * The permit is attached: to the replacement we are just ending, or to one that was launched
 * although the call seemed to have failed.
 */
async function inUse(
  run: Run,
  attempt: number,
  request: Request,
  permit: CloudNetworkInterface,
): Promise<Move<typeof REVOKE>> {
  if (permit.attachedInstanceId === request.instanceId) {
    return { kind: 'wait', text: 'waiting for the failed replacement to let go of its launch permit' };
  }
  const finding = await lookForLaunch(run, attempt, permit.networkInterfaceId);
  if (finding.kind === 'several') return severalFound(finding.instanceIds);
  if (finding.kind === 'none') return { kind: 'wait', text: 'the launch permit is in use: looking by what' };
  return adopt(run, attempt, request, finding.instanceId);
}

function adopt(run: Run, attempt: number, request: Request, instanceId: string): Move<typeof REVOKE> {
  const launch = run.journal.get(LAUNCH, attempt);
  if (request.instanceId !== null || launch === null) {
    return severalFound([instanceId, request.instanceId ?? 'none that we launched']);
  }
  return { kind: 'launched-after-all', launchStep: stepId('launch', attempt), instanceId };
}

/**
 * With the permit gone nothing of this attempt can be alive; make sure, because the next attempt
 * rests on it.
 */
async function lastLook(run: Run, attempt: number, request: Request): Promise<Move<typeof REVOKE>> {
  const done: Move<typeof REVOKE> = {
    kind: 'done',
    result: { instanceTerminated: request.instanceId !== null, permitGone: true },
    ...(request.failure === 'instance' ? {} : { alongside: { deletes: recordsToDrop(run, attempt) } }),
  };
  if (request.networkInterfaceId === null) return done;
  const finding = await lookForLaunch(run, attempt, request.networkInterfaceId);
  if (finding.kind === 'several') return severalFound(finding.instanceIds);
  if (finding.kind === 'none' || finding.instanceId === request.instanceId) return done;
  const { instanceId } = finding;
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  const ended = found.some((one) => one.instanceId === instanceId && one.state === 'terminated');
  return ended ? done : adopt(run, attempt, request, instanceId);
}

export const revokeKind = stepKind(REVOKE, (run, { attempt }) => revokeStep(run, attempt), revokeCalls);
