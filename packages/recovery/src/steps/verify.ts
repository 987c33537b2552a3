import {
  durationText,
  type CloudInstance,
  type CloudInstanceStatus,
  invariant,
  isUndo,
  MemberRecordSchema,
  parseRecord,
  type ServePromise,
} from '@understudy/shared';
import { disksToKeepOn } from '../core/fidelity/reapplied.ts';
import { endedForKey, NO_KEY_FACTS } from '../core/volume-keys.ts';
import { countImpaired, verifyProgress } from '../core/verify-progress.ts';
import { promiseFault } from '../core/serve-lease/serve-lease.ts';
import { volumesOf } from './captured-volumes.ts';
import type { Call, Move, Step } from '../effect.ts';
import { keyFactsOf } from './locked-volumes.ts';
import { isPassing, type Run } from '../run.ts';
import { verifyCalls } from './attempt-calls.ts';
import { LAUNCH, VERIFY } from './attempt-records.ts';
import { stepKind } from '../step-kind.ts';
import { BRINGBACK } from './undo-records.ts';
import { SEED } from './volume-records.ts';

/**
 * How old what EC2 said may be while the replacement's heartbeats are what we wait for. Local
 * readings cost nothing, describes cost tokens.
 */
const INSTANCE_AGE_MS = 2_000;
const STATUS_AGE_MS = 5_000;

interface Memory {
  /**
   * When EC2 says it was started the time before, as a seed or before it was retired: a look that
   * shows that start is from before the one that counts. Null: it was not.
   */
  readonly endedLaunchAtWallMs: number | null;
  instance: CloudInstance | null;
  instanceAtMs: number;
  status: CloudInstanceStatus | null;
  statusAtMs: number;
  impairedReads: number;
  /** The newest try to read the status failed. */
  statusError: unknown;
  /** Since when no look at the instance has worked; null: the newest did. */
  blindSinceMs: number | null;
  /** When EC2 was last asked to keep its disks; a picture from before is no reason to ask again. */
  keepAskedAtMs: number;
}

/**
 * The replacement runs, EC2 sees nothing wrong with it, and its own authenticated heartbeats have
 * passed for `settleMs`.
 */
export function verifyStep(run: Run, attempt: number): Step<typeof VERIFY> {
  const memory: Memory = {
    endedLaunchAtWallMs: endedLaunchOf(run, attempt),
    instance: null,
    instanceAtMs: Number.NEGATIVE_INFINITY,
    status: null,
    statusAtMs: Number.NEGATIVE_INFINITY,
    impairedReads: 0,
    statusError: null,
    blindSinceMs: null,
    keepAskedAtMs: Number.NEGATIVE_INFINITY,
  };
  return {
    limitMs: run.policy.recover.verifyTimeoutMs,
    prepare: async () => ({ instanceId: launchedBy(run, attempt) }),
    next: async (frozen, last) => {
      const { instanceId } = frozen.request;
      if (last?.error?.code === 'CLOUD_REJECTED') {
        return { kind: 'hold', reason: 'CloudRejected', text: `disks of the replacement: ${last.error.message}` };
      }
      if (last) memory.instanceAtMs = Number.NEGATIVE_INFINITY;
      await refresh(run, memory, instanceId);
      const nowMs = run.nowMs();
      const heartbeat = run.parts.heartbeats.reading(run.record.member, instanceId);
      const lacking = heartbeat && (await promiseLacking(run, heartbeat.servePromise));
      const seen = { ...memory, heartbeat, promiseFault: lacking, nowMs, waitedMs: frozen.elapsedMs };
      const verdict = verifyProgress(seen, run.policy);
      const passing = verdict.kind === 'passed' || (verdict.kind === 'wait' && verdict.againInMs !== null);
      const keep = passing ? keepDisks(run, memory, instanceId) : null;
      if (keep) return keep;
      switch (verdict.kind) {
        case 'passed':
          // That EC2 sees nothing wrong takes a look that worked.
          if (memory.status === null && memory.statusError !== null) throw memory.statusError;
          return { kind: 'done', result: { instanceId } };
        case 'failed':
          return (await lockedOut(run, memory.instance)) ?? failed(verdict.text);
        case 'wait':
          return wait(run, memory, verdict.text, verdict.againInMs);
      }
    },
    onTimeout: (frozen) =>
      unwell(run, frozen.request.instanceId) ??
      blind(run, memory, frozen.request.instanceId) ??
      failed(
        `${frozen.request.instanceId} was not fit to serve within ${durationText(run.policy.recover.verifyTimeoutMs)}`,
      ),
  };
}

function endedLaunchOf(run: Run, attempt: number): number | null {
  const seed = run.journal.get(SEED, attempt)?.result;
  if (seed && 'launchedAtWallMs' in seed) return seed.launchedAtWallMs;
  return run.journal.get(BRINGBACK)?.request?.launchedAtWallMs ?? null;
}

/**
 * What its promise lacks of what is asked of the member, now: a person may have taken the contract
 * back since the recovery began. null: nothing.
 */
async function promiseLacking(run: Run, promise: ServePromise | null): Promise<string | null> {
  const { member, serveContract } = run.record;
  const fault = serveContract && promiseFault(serveContract, promise);
  if (fault === null) return null;
  const key = run.parts.keys.member(member);
  const entry = await run.parts.kv.get(key);
  const present = entry && parseRecord(MemberRecordSchema, key, entry.value).serveContract;
  return present && promiseFault(present, promise);
}

/** A leader that cannot hear must not condemn whom it does not hear. null: it can. */
function unwell(run: Run, instanceId: string): Move<typeof VERIFY> | null {
  if (run.parts.heartbeats.abstains?.() !== true) return null;
  const text = `${instanceId} was not verified in time, but this coordinator does not trust its own ears: it is left alone until it does, or another one leads`;
  return { kind: 'hold', reason: 'ObserverUnwell', text };
}

/**
 * A replacement that nobody could look at is not condemned: whether it is fit is not known. null:
 * it was looked at.
 */
function blind(run: Run, memory: Memory, instanceId: string): Move<typeof VERIFY> | null {
  if (memory.blindSinceMs === null) return null;
  const forS = Math.round((run.nowMs() - memory.blindSinceMs) / 1_000);
  const text = `${instanceId} was not verified in time, but EC2 could not be asked about it for ${forS} s: it is left alone, and looked at as soon as EC2 answers`;
  return { kind: 'hold', reason: 'CloudUnavailable', text };
}

/**
 * While it settles anyway, and not for one that may never pass. Not activated before its disks are
 * seen as they were on the failed instance: from then on they hold data.
 */
function keepDisks(run: Run, memory: Memory, instanceId: string): Move<typeof VERIFY> | null {
  const { instance } = memory;
  // What is brought back has its own disks, as they were.
  if (instance?.state !== 'running' || isUndo(run.plan)) return null;
  const [first, ...more] = disksToKeepOn(volumesOf(run), instance).map(
    (deviceName): Call => ({
      name: `keep-${deviceName}`,
      run: (cloud, options) => cloud.setDeleteOnTermination(instanceId, deviceName, false, options),
    }),
  );
  if (!first) return null;
  if (run.nowMs() - memory.keepAskedAtMs < run.settings.confirmSpacingMs) {
    memory.instanceAtMs = Number.NEGATIVE_INFINITY;
    return { kind: 'wait', text: 'waiting to see the disks of the replacement kept' };
  }
  memory.keepAskedAtMs = run.nowMs();
  return { kind: 'act', text: 'keeping the disks of the replacement', calls: [first, ...more] };
}

const failed = (text: string): Move<typeof VERIFY> => ({
  kind: 'failed',
  failure: 'instance',
  code: 'VerifyFailed',
  text,
});

/**
 * The replacement never ran because EC2 could not use the key of one of its volumes; null: that is
 * not it.
 */
export async function lockedOut(
  run: Run,
  instance: CloudInstance | null,
): Promise<Extract<Move<never>, { readonly kind: 'failed' }> | null> {
  if (instance?.state !== 'terminated' && instance?.state !== 'shutting-down') return null;
  const volumes = volumesOf(run);
  if (!endedForKey(instance, volumes, NO_KEY_FACTS)) return null;
  const facts = await keyFactsOf(run);
  if (!endedForKey(instance, volumes, facts)) return null;
  const why = instance.stateReasonText ?? instance.stateReasonCode ?? '';
  const text = `the replacement ${instance.instanceId} was ended by EC2, which could not use the key of a volume (${why})`;
  return { kind: 'failed', failure: 'key', code: instance.stateReasonCode ?? 'KmsKeyUnusable', text };
}

/**
 * While only heartbeats are missing they are looked at as often as at the start: it is a look into
 * our own memory.
 */
function wait(run: Run, memory: Memory, text: string, againInMs: number | null): Move<typeof VERIFY> {
  if (againInMs !== null) return { kind: 'wait', text, forMs: againInMs };
  if (memory.instance?.state === 'running') return { kind: 'wait', text, forMs: run.settings.pollMinMs };
  return { kind: 'wait', text };
}

/** The instance attempt n launched, by the journal; of an undo the one that it brings back. */
export function launchedBy(run: Run, attempt: number): string {
  if (isUndo(run.plan)) return run.plan.undo.instanceId;
  const result = run.journal.get(LAUNCH, attempt)?.result;
  invariant(result && 'instanceId' in result, `attempt ${attempt} has launched nothing`);
  return result.instanceId;
}

/**
 * Two looks, each for itself: that the status cannot be read does not hide that the instance is
 * gone, or that it speaks.
 */
async function refresh(run: Run, memory: Memory, instanceId: string): Promise<void> {
  const running = memory.instance?.state === 'running';
  const instanceDue = !running || run.nowMs() - memory.instanceAtMs >= INSTANCE_AGE_MS;
  const statusDue = running && run.nowMs() - memory.statusAtMs >= STATUS_AGE_MS;
  const [instance, status] = await Promise.allSettled([
    instanceDue ? readInstance(run, memory, instanceId) : null,
    statusDue ? readStatus(run, memory, instanceId) : null,
  ]);
  if (statusDue) memory.statusError = status.status === 'rejected' ? status.reason : null;
  if (status.status === 'rejected' && !isPassing(status.reason)) throw status.reason;
  if (instance.status === 'fulfilled') {
    memory.blindSinceMs = null;
    return;
  }
  memory.blindSinceMs ??= run.nowMs();
  throw instance.reason;
}

async function readInstance(run: Run, memory: Memory, instanceId: string): Promise<void> {
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  // Not shown (any more) is no news: EC2 is eventually consistent.
  const shown = found.find((one) => one.instanceId === instanceId);
  if (shown?.launchedAtWallMs !== memory.endedLaunchAtWallMs) memory.instance = shown ?? memory.instance;
  memory.instanceAtMs = run.nowMs();
}

async function readStatus(run: Run, memory: Memory, instanceId: string): Promise<void> {
  // A look that fails is not repeated with every heartbeat that is waited for.
  memory.statusAtMs = run.nowMs();
  const found = await run.read((cloud, options) => cloud.describeInstanceStatus([instanceId], options));
  memory.status = found.find((one) => one.instanceId === instanceId) ?? null;
  memory.statusAtMs = run.nowMs();
  memory.impairedReads = countImpaired(memory.impairedReads, memory.status);
}

export const verifyKind = stepKind(VERIFY, (run, { attempt }) => verifyStep(run, attempt), verifyCalls);
