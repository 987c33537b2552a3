import {
  durationText,
  type CloudSnapshot,
  type PlannedVolume,
  type OperationError,
  retryAdvice,
  TAG,
} from '@understudy/shared';
import {
  adoptableSet,
  captureProgress,
  missingVolumes,
  type SnapshotSet,
  snapshotSets,
} from '../core/capture-decision.ts';
import { remainingOfMs } from '../core/pacing.ts';
import { madeNothing, refusalClassOf } from '../core/refusals.ts';
import type { Attempt, Frozen, Move, Step } from '../effect.ts';
import { fencedBy } from './fenced-by.ts';
import type { Run } from '../run.ts';
import { volumesOn } from '../volumes/volume-paths.ts';
import { capturedBeside } from './captured-volumes.ts';
import { lockedHold, refusedForKey } from './locked-volumes.ts';
import type { NotedOf } from '../step-record.ts';
import { captureCalls } from './capture-calls.ts';
import { CAPTURE } from './capture-records.ts';
import { stepKind } from '../step-kind.ts';

/** The volumes whose content it is to bring. */
const captured = (run: Run): readonly PlannedVolume[] => volumesOn('snapshot', run.plan);

const NOTHING: NotedOf<typeof CAPTURE> = { set: null, failedSets: [] };

interface Memory {
  /** What the newest call of this run returned. */
  reply: readonly CloudSnapshot[] | null;
  /** Looks in vain since the newest call. */
  emptyLooks: number;
  /** The newest call of this run was certainly refused. */
  refusedForSure: boolean;
  /** Since when EC2 says that it does not know the instance. */
  unknownSinceMs: number | null;
  /** What does not count any more: a person has removed the hold it led to. Null: not asked yet. */
  forgiven: { readonly failedSets: number; readonly made: number } | null;
  /** When the canonical set must be complete, monotonic; null: there is none yet. */
  completeByMs: number | null;
}

/**
 * Snapshots of all volumes in one crash-consistent call. No ClientToken exists for it: each call
 * that may have made something carries its own number (counted in the journal before it is sent) as
 * a tag, the first complete set recorded here is canonical, and any other is a leftover. A call
 * that was certainly refused is made again, for as long as the policy says; what bounds the tries
 * is what EC2 made, which is what is paid for.
 */
export function captureStep(run: Run): Step<typeof CAPTURE> {
  const memory: Memory = {
    ...{ reply: null, emptyLooks: 0, refusedForSure: false, unknownSinceMs: null, forgiven: null, completeByMs: null },
  };
  const { opId, oldInstanceId, member } = run.record;
  return {
    limitMs: run.policy.recover.captureTimeoutMs + run.policy.recover.retryRefusedForMs,
    givesUpAs: 'CaptureFailed',
    prepare: async () => ({
      instanceId: oldInstanceId,
      description: `understudy ${member} ${opId}`,
      tags: { ...run.policy.recover.tags, [TAG.op]: opId, 'understudy:source': oldInstanceId },
    }),
    next: async (frozen, last) => {
      const noted = frozen.noted ?? NOTHING;
      return noted.set ? follow(run, memory, noted, noted.set) : obtain(run, memory, frozen, noted, last);
    },
    onTimeout: (frozen) => incomplete(run, frozen.noted?.set?.snapshots.length ?? 0),
  };
}

const incomplete = (run: Run, count: number): Move<typeof CAPTURE> => ({
  kind: 'hold',
  reason: 'CaptureTimeout',
  text:
    count === 0
      ? 'no set of snapshots could be made, for as long as recover.captureTimeoutMs and recover.retryRefusedForMs say; it is still looked for'
      : `the ${count} snapshots are not complete after ${durationText(run.policy.recover.captureTimeoutMs)}; they are still followed`,
});

/** Makes the set canonical, together with what it holds beside the plan. */
async function note(run: Run, set: SnapshotSet, noted: NotedOf<typeof CAPTURE>): Promise<Move<typeof CAPTURE>> {
  const snapshots = set.snapshots.map(({ snapshotId, volumeId }) => ({ snapshotId, volumeId }));
  const beside = [...(await capturedBeside(run, set))];
  const canonical = { number: set.number, snapshots, beside, notedAtWallMs: run.wallMs() };
  return { kind: 'note', noted: { ...noted, set: canonical } };
}

/** Waits for the canonical set; a set that failed is put aside for good. */
async function follow(
  run: Run,
  memory: Memory,
  noted: NotedOf<typeof CAPTURE>,
  set: NonNullable<NotedOf<typeof CAPTURE>['set']>,
): Promise<Move<typeof CAPTURE>> {
  memory.completeByMs ??= run.nowMs() + timeLeftMs(run, set.notedAtWallMs);
  const ids = set.snapshots.map((one) => one.snapshotId);
  const seen = await run.read((cloud, options) => cloud.describeSnapshots({ 'snapshot-id': ids }, options));
  const progress = captureProgress(ids, seen);
  switch (progress.kind) {
    case 'completed':
      return { kind: 'done', result: { set: set.number, snapshots: set.snapshots, beside: set.beside } };
    case 'pending':
      if (run.nowMs() > memory.completeByMs) return incomplete(run, ids.length);
      return { kind: 'wait', text: progress.text, percent: progress.percent };
    case 'failed':
      memory.completeByMs = null;
      return { kind: 'note', noted: await withFailed(run, noted, set.number) };
  }
}

/**
 * What a key that cannot be used makes fail is no fault of the capture: it is taken again once the
 * key works, however often that was.
 */
async function withFailed(run: Run, noted: NotedOf<typeof CAPTURE>, number: number): Promise<NotedOf<typeof CAPTURE>> {
  const failedSets = [...noted.failedSets, number];
  const lockedSets = [...(noted.lockedSets ?? []), ...((await lockedHold(run)) ? [number] : [])];
  return { set: null, failedSets, ...(lockedSets.length > 0 && { lockedSets }) };
}

const timeLeftMs = (run: Run, startedAtWallMs: number): number =>
  remainingOfMs({
    limitMs: run.policy.recover.captureTimeoutMs,
    floorMs: run.settings.resumeFloorMs,
    startedAtWallMs,
    nowWallMs: run.wallMs(),
  });

/** Gets hold of a set: the reply's, one that is found by its tags, or a new one. */
async function obtain(
  run: Run,
  memory: Memory,
  frozen: Frozen<typeof CAPTURE>,
  noted: NotedOf<typeof CAPTURE>,
  last: Attempt | null,
): Promise<Move<typeof CAPTURE>> {
  const sent = frozen.sends.snapshots ?? 0;
  if (last?.error === null && memory.reply) return take(run, memory, sent, memory.reply, noted);
  if (last) learn(run, memory, last);
  const hopeless = last?.error && (await refusedForGood(run, memory, last.error));
  if (hopeless) return hopeless;
  const terminated = fencedBy(run) === 'terminated';
  if (!terminated && (sent === 0 || memory.refusedForSure))
    return (await lockedHold(run)) ?? create(run, memory, frozen);
  const sets = await setsMade(run);
  const found = adoptableSet(captured(run), sets, noted.failedSets);
  if (found) return note(run, found, noted);
  if (terminated) return captureFailed(await whatSurvives(run));
  const made = new Set([...noted.failedSets, ...sets.map((one) => one.number)]).size;
  const locked = noted.lockedSets?.length ?? 0;
  if (isExhausted(run, memory, noted.failedSets.length - locked, made - locked)) {
    const text = `${noted.failedSets.length} of the ${made} snapshot sets that EC2 made have failed, and no other is complete`;
    return captureFailed(`${text}. ${retryAdvice(run.record.member)}`);
  }
  return again(run, memory, frozen, noted);
}

async function take(
  run: Run,
  memory: Memory,
  number: number,
  snapshots: readonly CloudSnapshot[],
  noted: NotedOf<typeof CAPTURE>,
): Promise<Move<typeof CAPTURE>> {
  const set = { number, snapshots };
  const missing = missingVolumes(captured(run), set);
  // Kept until it can be noted: the tags may not show it yet.
  const move =
    missing.length > 0
      ? captureFailed(`${missing.join(', ')} is no longer attached to the old instance`)
      : await note(run, set, noted);
  memory.reply = null;
  return move;
}

/** What the newest call tells. */
function learn(run: Run, memory: Memory, last: Attempt): void {
  memory.emptyLooks = 0;
  memory.refusedForSure = last.error !== null && madeNothing(last.error);
  if (last.error?.code !== 'CLOUD_NOT_FOUND') memory.unknownSinceMs = null;
  else memory.unknownSinceMs ??= run.nowMs();
}

/** null: it may be taken later. */
async function refusedForGood(run: Run, memory: Memory, error: OperationError): Promise<Move<typeof CAPTURE> | null> {
  const refusal = refusalClassOf(error);
  if (refusal === 'key') return refusedForKey(run, `EC2 refuses the snapshots: ${error.message}`);
  const forMs = memory.unknownSinceMs === null ? 0 : run.nowMs() - memory.unknownSinceMs;
  if (refusal !== 'hopeless' && refusal !== 'candidate' && forMs <= run.settings.lagGraceMs) return null;
  return captureFailed(`EC2 refuses the snapshots: ${error.message}`);
}

/**
 * All tries are spent; counted anew when they were spent before this run and nobody holds the
 * recovery any more.
 */
function isExhausted(run: Run, memory: Memory, failedSets: number, made: number): boolean {
  const { maxFailedSets, maxSnapshotCalls } = run.settings;
  const spent = failedSets >= maxFailedSets || made >= maxSnapshotCalls;
  memory.forgiven ??= spent && !run.heldAtStart ? { failedSets, made } : { failedSets: 0, made: 0 };
  const { forgiven } = memory;
  return failedSets - forgiven.failedSets >= maxFailedSets || made - forgiven.made >= maxSnapshotCalls;
}

/**
 * A set of the newest call may exist without being shown yet: look twice before paying for another
 * one.
 */
async function again(
  run: Run,
  memory: Memory,
  frozen: Frozen<typeof CAPTURE>,
  noted: NotedOf<typeof CAPTURE>,
): Promise<Move<typeof CAPTURE>> {
  const newestFailed = noted.failedSets.includes(frozen.sends.snapshots ?? 0);
  memory.emptyLooks += 1;
  if (!newestFailed && memory.emptyLooks < 3) {
    return { kind: 'wait', text: 'looking for the snapshots', forMs: run.settings.confirmSpacingMs };
  }
  return (await lockedHold(run)) ?? create(run, memory, frozen);
}

function create(run: Run, memory: Memory, frozen: Frozen<typeof CAPTURE>): Move<typeof CAPTURE> {
  const { instanceId, description, tags } = frozen.request;
  return {
    kind: 'act',
    text: `asking EC2 for snapshots of ${captured(run).length} volume(s)`,
    calls: [
      {
        name: 'snapshots',
        run: async (cloud, options, send) => {
          const numbered = { ...tags, [TAG.snapshotSet]: String(send) };
          memory.reply = await cloud.createSnapshots({ instanceId, description, tags: numbered }, options);
        },
      },
    ],
  };
}

/** **S** (S4) What was made while the member was only suspect is older than the fence. */
const setsMade = async (run: Run): Promise<readonly SnapshotSet[]> => {
  const made = await run.read((cloud, options) =>
    cloud.describeSnapshots({ [`tag:${TAG.op}`]: [run.record.opId] }, options),
  );
  return snapshotSets(made.filter((one) => one.tags[TAG.preparedFor] === undefined));
};

const captureFailed = (text: string): Move<typeof CAPTURE> => ({
  kind: 'hold',
  reason: 'CaptureFailed',
  text: `${text}. A complete set of snapshots tagged ${TAG.op} would be used`,
});

async function whatSurvives(run: Run): Promise<string> {
  const ids = captured(run).map((volume) => volume.volumeId);
  const volumes = await run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': ids }, options));
  const alive = volumes.filter((one) => one.state !== 'deleting' && one.state !== 'deleted').map((one) => one.volumeId);
  const lost = ids.filter((id) => !alive.includes(id));
  const text = 'the old instance is terminated, so EC2 cannot snapshot it as a whole';
  return `${text}; volumes deleted with it: ${lost.join(', ') || 'none'}; still there: ${alive.join(', ') || 'none'}`;
}

export const captureKind = stepKind(CAPTURE, captureStep, captureCalls);
