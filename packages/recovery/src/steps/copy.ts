import { durationText, type CloudVolume, clientTokenOf, invariant, type PlannedVolume, TAG } from '@understudy/shared';
import { diskMembersOf } from '../core/fidelity/carried.ts';
import { limitTags, MAX_TAGS } from '../core/launch-tags.ts';
import { refusalClassOf } from '../core/refusals.ts';
import type { Attempt, Call, Move, Step } from '../effect.ts';
import { type CallsAbout, type CallsOf, plannedCall } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import type { RequestOf } from '../step-record.ts';
import { fencedBy } from './fenced-by.ts';
import { COPY } from './volume-records.ts';
import { lockedHold, refusedForKey } from './locked-volumes.ts';

type Request = RequestOf<typeof COPY>;

interface Memory {
  /** What the newest call of this run returned. */
  made: string | null;
  /** Since when EC2 does not show the copy. */
  unseenSinceMs: number | null;
}

/**
 * Copies one disk of the fenced instance within its zone; the original stays where it is. **S**
 * (S4, S29) Only after `stopped` or `terminated` was observed, a serve lease does not do, and each
 * time only when EC2 shows the instance stopped: a copy of a disk that is written to is no truth.
 * The token is a function of the recovery and the disk, so a call that lands late, or twice, makes
 * the one copy. What EC2 refuses because other copies are under way is asked again.
 */
export function copyStep(run: Run, volumeId: string): Step<typeof COPY> {
  const memory: Memory = { made: null, unseenSinceMs: null };
  return {
    limitMs: run.policy.recover.captureTimeoutMs,
    givesUpAs: 'CaptureFailed',
    prepare: async () => copyRequest({ ...run.record, plan: run.plan }, volumeId),
    next: async (frozen, last) => {
      const known = frozen.noted?.volumeId ?? null;
      if (known !== null) return follow(run, memory, known);
      if (memory.made !== null) return { kind: 'note', noted: { volumeId: memory.made } };
      const refused = last?.error ? await refusedForGood(run, last) : null;
      return refused ?? (await obstacle(run)) ?? copy(memory, frozen.request);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CaptureTimeout',
      text: `the copy of ${volumeId} cannot be used after ${durationText(run.policy.recover.captureTimeoutMs)}; it is still followed`,
    }),
  };
}

/** All that is sent for one disk. Same intent, same request. */
function copyRequest({ opId, oldInstanceId, ordinal, plan }: CallsAbout['intent'], volumeId: string): Request {
  const volume = plan.volumes.find((one) => one.volumeId === volumeId);
  invariant(volume, `${volumeId} is no volume of the plan`);
  const { Iops, Throughput, KmsKeyId } = diskMembersOf(volume);
  const { tags } = plan.policy.recover;
  return {
    clientToken: clientTokenOf(oldInstanceId, `copy-${volumeId}`, 1, ordinal),
    sourceVolumeId: volumeId,
    volumeType: volume.volumeType,
    iops: typeof Iops === 'number' ? Iops : null,
    throughputMiBps: typeof Throughput === 'number' ? Throughput : null,
    kmsKeyId: typeof KmsKeyId === 'string' ? KmsKeyId : null,
    tags: limitTags({ ...tags, ...volume.tags, [TAG.op]: opId }, MAX_TAGS, tags),
  };
}

const held = (text: string): Move<typeof COPY> => ({ kind: 'hold', reason: 'CaptureFailed', text });

/** null: it may be asked again; the token makes that harmless. */
async function refusedForGood(run: Run, { error }: Attempt): Promise<Move<typeof COPY> | null> {
  if (!error) return null;
  const refusal = refusalClassOf(error);
  if (refusal === 'key') return refusedForKey(run, `EC2 refuses the copy: ${error.message}`);
  return refusal === 'hopeless' || refusal === 'candidate' ? held(`EC2 refuses the copy: ${error.message}`) : null;
}

/** Why nothing may be copied now; null: it may. */
async function obstacle(run: Run): Promise<Move<typeof COPY> | null> {
  const { oldInstanceId } = run.record;
  if (fencedBy(run) === 'lease') {
    const text = `${oldInstanceId} was not seen stopped, its serve lease has run out: no disk of a machine that may still write is copied`;
    return { kind: 'hold', reason: 'FenceNotProven', text };
  }
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
  );
  const state = found.find((one) => one.instanceId === oldInstanceId)?.state;
  if (state === 'running' || state === 'pending') {
    const text = `${oldInstanceId} is ${state} again: somebody has started it. Stop it, or abandon the recovery`;
    return { kind: 'hold', reason: 'FenceNotProven', text };
  }
  if (state !== 'stopped' && fencedBy(run) !== 'terminated')
    return { kind: 'wait', text: `${oldInstanceId} is ${state ?? 'not shown by EC2'}` };
  return lockedHold(run);
}

const copy = (memory: Memory, request: Request): Move<typeof COPY> => ({
  kind: 'act',
  text: `copying ${request.sourceVolumeId}`,
  calls: [copyCall(memory, request)],
});

const copyCall = (memory: Memory, request: Request): Call => ({
  name: 'copy',
  run: async (cloud, options) => {
    memory.made = (await cloud.copyVolume(request, options)).volumeId;
  },
});

/** Waits until the copy can be attached. It is filled in the background, for hours. */
async function follow(run: Run, memory: Memory, volumeId: string): Promise<Move<typeof COPY>> {
  const found = await run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': [volumeId] }, options));
  const volume = found.find((one) => one.volumeId === volumeId);
  if (volume) memory.unseenSinceMs = null;
  else memory.unseenSinceMs ??= run.nowMs();
  if (isUsable(volume)) return { kind: 'done', result: { volumeId } };
  const lost = volume?.state === 'error' || volume?.state === 'deleting' || volume?.state === 'deleted';
  const unseenMs = memory.unseenSinceMs === null ? 0 : run.nowMs() - memory.unseenSinceMs;
  if (lost || unseenMs > run.settings.lagGraceMs) {
    const locked = await lockedHold(run);
    return (
      locked ??
      held(
        `the copy ${volumeId} is ${volume?.state ?? 'not there any more'}. Abandon the recovery: another one makes another copy`,
      )
    );
  }
  return { kind: 'wait', text: `the copy ${volumeId} is ${volume?.state ?? 'not shown by EC2 yet'}` };
}

const isUsable = (volume: CloudVolume | undefined): boolean =>
  volume?.state === 'available' || volume?.state === 'in-use';

const copied = ({ plan }: CallsAbout['intent'], item: string): readonly PlannedVolume[] =>
  plan.volumes.filter((one) => one.volumeId === item);

const copyCalls: CallsOf = ({ intent, key }) =>
  copied(intent, key.item).map(({ volumeId }) =>
    plannedCall('copy', (cloud, options) => cloud.copyVolume(copyRequest(intent, volumeId), options)),
  );

export const copyKind = stepKind(COPY, (run, { item }) => copyStep(run, item), copyCalls);
