import { type CloudSnapshot, TAG } from '@understudy/shared';
import {
  adoptableSet,
  captureProgress,
  missingVolumes,
  type SnapshotSet,
  snapshotSets,
} from '../../core/recovery/capture.ts';
import type { Attempt, Frozen, Move, Step } from '../effect.ts';
import type { Run } from '../run.ts';
import { capturedBeside } from '../captured-volumes.ts';
import type { NotedOf } from '../step-shapes.ts';

const NOTHING: NotedOf<'capture'> = { set: null, failedSets: [] };

interface Memory {
  /** What the newest call of this run returned. */
  reply: readonly CloudSnapshot[] | null;
  /** Looks in vain since the newest call. */
  emptyLooks: number;
  /** What does not count any more: a person has removed the hold it led to. Null: not asked yet. */
  forgiven: { readonly failedSets: number; readonly calls: number } | null;
}

/**
 * Snapshots of all volumes in one crash-consistent call. No ClientToken exists for it: each call carries its own number (counted in the
 * journal before it is sent) as a tag, the first complete set recorded here is canonical, and any other is a leftover.
 */
export function captureStep(run: Run): Step<'capture'> {
  const memory: Memory = { reply: null, emptyLooks: 0, forgiven: null };
  const { opId, oldInstanceId, member } = run.record;
  return {
    limitMs: run.policy.captureTimeoutMs,
    prepare: async () => ({
      instanceId: oldInstanceId,
      description: `understudy ${member} ${opId}`,
      tags: { [TAG.op]: opId, 'understudy:source': oldInstanceId },
    }),
    next: async (frozen, last) => {
      const noted = frozen.noted ?? NOTHING;
      return noted.set ? follow(run, noted, noted.set) : obtain(run, memory, frozen, noted, last);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CaptureTimeout',
      text: `the snapshots are not complete after ${run.policy.captureTimeoutMs} ms; they are still followed`,
    }),
  };
}

/** Makes the set canonical, together with what it holds beside the plan. */
async function note(run: Run, set: SnapshotSet, failedSets: readonly number[]): Promise<Move<'capture'>> {
  const snapshots = set.snapshots.map(({ snapshotId, volumeId }) => ({ snapshotId, volumeId }));
  const beside = [...(await capturedBeside(run, set))];
  return { kind: 'note', noted: { set: { number: set.number, snapshots, beside }, failedSets: [...failedSets] } };
}

/** Waits for the canonical set; a set that failed is put aside for good. */
async function follow(
  run: Run,
  noted: NotedOf<'capture'>,
  set: NonNullable<NotedOf<'capture'>['set']>,
): Promise<Move<'capture'>> {
  const ids = set.snapshots.map((one) => one.snapshotId);
  const seen = await run.read((cloud, options) => cloud.describeSnapshots({ 'snapshot-id': ids }, options));
  const progress = captureProgress(ids, seen);
  switch (progress.kind) {
    case 'completed':
      return { kind: 'done', result: { set: set.number, snapshots: set.snapshots, beside: set.beside } };
    case 'pending':
      return { kind: 'wait', text: progress.text, percent: progress.percent };
    case 'failed':
      return { kind: 'note', noted: { set: null, failedSets: [...noted.failedSets, set.number] } };
  }
}

/** Gets hold of a set: the reply's, one that is found by its tags, or a new one. */
async function obtain(
  run: Run,
  memory: Memory,
  frozen: Frozen<'capture'>,
  noted: NotedOf<'capture'>,
  last: Attempt | null,
): Promise<Move<'capture'>> {
  const sent = frozen.sends.snapshots ?? 0;
  if (last?.error === null && memory.reply) {
    const set = { number: sent, snapshots: memory.reply };
    const missing = missingVolumes(run.plan.volumes, set);
    memory.reply = null;
    if (missing.length > 0) return captureFailed(`${missing.join(', ')} is no longer attached to the old instance`);
    return note(run, set, noted.failedSets);
  }
  if (last) memory.emptyLooks = 0;
  const terminated = run.journal.get('fence', 'fence')?.result?.how === 'terminated';
  if (sent === 0 && !terminated) return create(run, memory, frozen);
  const found = await findSet(run, noted.failedSets);
  if (found) return note(run, found, noted.failedSets);
  if (terminated) return captureFailed(await whatSurvives(run));
  if (isExhausted(run, memory, noted.failedSets.length, sent)) {
    return captureFailed(
      `${noted.failedSets.length} snapshot sets failed in ${sent} calls. Remove this hold to try again`,
    );
  }
  return again(run, memory, frozen, noted, last);
}

/** All tries are spent; counted anew when they were spent before this run and nobody holds the recovery any more. */
function isExhausted(run: Run, memory: Memory, failedSets: number, calls: number): boolean {
  const { maxFailedSets, maxSnapshotCalls } = run.settings;
  const spent = failedSets >= maxFailedSets || calls >= maxSnapshotCalls;
  memory.forgiven ??= spent && !run.heldAtStart ? { failedSets, calls } : { failedSets: 0, calls: 0 };
  const { forgiven } = memory;
  return failedSets - forgiven.failedSets >= maxFailedSets || calls - forgiven.calls >= maxSnapshotCalls;
}

/** A set of the newest call may exist without being shown yet: look twice before paying for another one. */
function again(
  run: Run,
  memory: Memory,
  frozen: Frozen<'capture'>,
  noted: NotedOf<'capture'>,
  last: Attempt | null,
): Move<'capture'> {
  const refused = last?.error?.code;
  if (refused === 'CLOUD_REJECTED' || refused === 'CLOUD_NOT_FOUND') {
    return captureFailed(`EC2 refuses the snapshots: ${last?.error?.message}`);
  }
  const newestFailed = noted.failedSets.includes(frozen.sends.snapshots ?? 0);
  const certain = refused === 'CLOUD_THROTTLED' || refused === 'CLOUD_UNAVAILABLE' || newestFailed;
  memory.emptyLooks += 1;
  if (!certain && memory.emptyLooks < 3) {
    return { kind: 'wait', text: 'looking for the snapshots', forMs: run.settings.confirmSpacingMs };
  }
  return create(run, memory, frozen);
}

function create(run: Run, memory: Memory, frozen: Frozen<'capture'>): Move<'capture'> {
  const { instanceId, description, tags } = frozen.request;
  return {
    kind: 'act',
    text: `asking EC2 for snapshots of ${run.plan.volumes.length} volume(s)`,
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

const findSet = async (run: Run, failedSets: readonly number[]): Promise<SnapshotSet | null> =>
  adoptableSet(
    run.plan.volumes,
    snapshotSets(
      await run.read((cloud, options) => cloud.describeSnapshots({ [`tag:${TAG.op}`]: [run.record.opId] }, options)),
    ),
    failedSets,
  );

const captureFailed = (text: string): Move<'capture'> => ({
  kind: 'hold',
  reason: 'CaptureFailed',
  text: `${text}. A complete set of snapshots tagged ${TAG.op} would be used`,
});

async function whatSurvives(run: Run): Promise<string> {
  const ids = run.plan.volumes.map((volume) => volume.volumeId);
  const volumes = await run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': ids }, options));
  const alive = volumes.filter((one) => one.state !== 'deleting' && one.state !== 'deleted').map((one) => one.volumeId);
  const lost = ids.filter((id) => !alive.includes(id));
  const text = 'the old instance is terminated, so EC2 cannot snapshot it as a whole';
  return `${text}; volumes deleted with it: ${lost.join(', ') || 'none'}; still there: ${alive.join(', ') || 'none'}`;
}
