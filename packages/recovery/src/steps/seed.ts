import { durationText, type CloudInstance } from '@understudy/shared';
import { stopModes } from '../core/fence-decision.ts';
import { launchPlanOf } from '../core/launch-plan.ts';
import { hasLanded, isStopOpen } from '../core/open-stops.ts';
import { answersIn, type Attempt, type Move, type Step } from '../effect.ts';
import { type CallsOf, laterCall, triedOnInstance } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { LATER_REPLACEMENT } from './attempt-calls.ts';
import { isLent } from './given-back.ts';
import { launchedBy, lockedOut } from './verify.ts';
import { type Disk, SEED } from './volume-records.ts';

interface Memory {
  modeIndex: number;
  /** When this run last asked it to stop, and EC2 did not certainly refuse. */
  askedAtMs: number | null;
  /** Stops of this run that EC2 has answered. */
  answered: number;
  /** EC2 has said yes to one of them. */
  taken: boolean;
  /** A stop was seen that a leader before has asked for. */
  landedBefore: boolean;
  /** The last look worked. */
  seen: boolean;
}

const MODES = stopModes(true);

/**
 * The seed of attempt n, seen stopped. It boots the member's image without what the member is told,
 * and is stopped at once, also while it is only about to run: nothing of it is wanted but the
 * machine. One look at `stopped` proves it, because it was never stopped before.
 */
export function seedStep(run: Run, attempt: number): Step<typeof SEED> {
  const memory: Memory = { modeIndex: 0, askedAtMs: null, answered: 0, taken: false, landedBefore: false, seen: false };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    prepare: async () => ({ instanceId: launchedBy(run, attempt) }),
    next: async ({ request: { instanceId }, sends }, last) => {
      if (last) learn(run, memory, last);
      memory.seen = false;
      const found = await run.read((cloud, options) =>
        cloud.describeInstances({ 'instance-id': [instanceId] }, options),
      );
      memory.seen = true;
      const instance = found.find((one) => one.instanceId === instanceId);
      if (instance?.state === 'terminated' || instance?.state === 'shutting-down')
        return (await lockedOut(run, instance)) ?? failed(`the seed ${instanceId} is ${instance.state}`);
      // It was never stopped before.
      if (instance && memory.answered === 0 && memory.askedAtMs === null)
        memory.landedBefore ||= hasLanded(instance, false);
      if (instance?.state === 'stopped')
        return stopped(run, instance, isStopOpen({ ...memory, sent: sends.stop ?? 0, seen: instance }, false));
      return stopOrWait(run, memory, instanceId, instance?.state ?? null);
    },
    onTimeout: ({ request: { instanceId } }) =>
      memory.seen
        ? failed(`the seed ${instanceId} did not stop within ${durationText(run.policy.recover.launchTimeoutMs)}`)
        : { kind: 'hold', reason: 'CloudUnavailable', text: `EC2 could not be asked about the seed ${instanceId}` },
  };
}

const failed = (text: string): Move<typeof SEED> => ({
  kind: 'failed',
  failure: 'instance',
  code: 'SeedFailed',
  text,
});

/** EC2 knows no other ways than these: after the last one it is the first again. */
function learn(run: Run, memory: Memory, last: Attempt): void {
  const { error } = last;
  memory.answered += answersIn(last);
  if (error === null) memory.taken = true;
  if (error === null || error.code === 'CLOUD_OUTCOME_UNKNOWN') {
    memory.askedAtMs = run.nowMs();
    return;
  }
  memory.askedAtMs = null;
  if (error.code === 'CLOUD_REJECTED') memory.modeIndex = (memory.modeIndex + 1) % MODES.length;
}

/**
 * A disk that the launch has made for the member is wanted; what else it has made is the seed's
 * own. **S** (S27) A launch says of each disk it makes that it goes with the instance, and what is
 * attached later does not: such a disk was put there by somebody, and is neither taken nor deleted.
 */
function stopped(run: Run, instance: CloudInstance, stopIsOpen: boolean): Move<typeof SEED> {
  const made = new Set(
    (run.strategy.launchSources(run, run.seams)?.disks ?? []).flatMap(({ volume, source }) =>
      source.kind === 'volume' ? [] : [volume.deviceName],
    ),
  );
  const { instanceId, launchedAtWallMs } = instance;
  const unwanted = instance.volumes.filter(
    ({ deviceName, volumeId }) => !made.has(deviceName) && !isLent(run, volumeId),
  );
  const foreign = unwanted.filter((one) => !one.deleteOnTermination);
  if (foreign.length > 0) return somebodys(instanceId, foreign);
  const ownDisks = unwanted.map(({ volumeId, deviceName }): Disk => ({ volumeId, deviceName }));
  return { kind: 'done', result: { instanceId, launchedAtWallMs, ownDisks, ...(stopIsOpen && { stopIsOpen }) } };
}

function somebodys(instanceId: string, disks: readonly Disk[]): Move<typeof SEED> {
  const names = disks.map(({ volumeId, deviceName }) => `${volumeId} (${deviceName})`).join(', ');
  const text = `somebody has attached ${names} to ${instanceId}, which is to become the replacement: detach it, it goes on then`;
  return { kind: 'hold', reason: 'VolumeNotFree', text };
}

/** A stop that has shown no effect may yet land, so it is not repeated in haste. */
function stopOrWait(run: Run, memory: Memory, instanceId: string, state: string | null): Move<typeof SEED> {
  const asked = memory.askedAtMs !== null && run.nowMs() - memory.askedAtMs < run.settings.restopAfterMs;
  const how = MODES[memory.modeIndex];
  if (asked || state === null || how === undefined)
    return { kind: 'wait', text: `waiting for the seed ${instanceId} to stop: ${state ?? 'not shown by EC2'}` };
  return {
    kind: 'act',
    text: `stopping the seed ${instanceId}`,
    calls: [{ name: 'stop', run: (cloud, options) => cloud.stopInstance(instanceId, how, options) }],
  };
}

const HARD = { force: true, skipOsShutdown: true } as const;

const seedCalls: CallsOf = (about) =>
  launchPlanOf(about.intent.plan).seed === undefined
    ? []
    : [
        triedOnInstance(
          laterCall(
            'stop',
            (cloud, options) => cloud.stopInstance(LATER_REPLACEMENT, HARD, options),
            'it is about the seed, which the recovery makes',
          ),
          about,
          (id) => (cloud, options) => cloud.stopInstance(id, HARD, options),
        ),
      ];

export const seedKind = stepKind(SEED, (run, { attempt }) => seedStep(run, attempt), seedCalls);
