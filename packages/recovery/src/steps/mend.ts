import { type CloudInstance, isUndo, ladderDeadlineMs } from '@understudy/shared';
import { mendProgress } from '../core/mend-progress.ts';
import type { Frozen, Move, Step } from '../effect.ts';
import { closeInPlace, type InPlaceEnd } from '../in-place.ts';
import { isPassing, type Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { VERIFY } from './attempt-records.ts';
import { fencedBy, takesProtectionOff } from './fenced-by.ts';
import { MEND, REBOOT, RESTART } from './in-place-records.ts';
import { openCalls } from './open-calls.ts';
import { protectCall, protectCalls } from './protect.ts';
import { ServiceLook } from './service-look.ts';
import { BRINGBACK } from './undo-records.ts';

/** Beyond the deadline of the rung: a closing that the store does not take. */
const CLOSING_MS = 600_000;
/**
 * How long a recovery that fails waits to be shown the instance once more: its last launch tells a
 * stop of ours from an operator's.
 */
const LAST_LOOK_MS = 30_000;
/** How old what EC2 said may be while heartbeats are waited for. */
const INSTANCE_AGE_MS = 2_000;

interface Memory {
  instance: CloudInstance | null;
  lookedAtMs: number;
  /** The calls that put things back have been answered, one way or the other. */
  putBack: boolean;
}

/**
 * Sees the instance come back, or sees that it does not, and closes the recovery either way. It
 * changes nothing but what this recovery itself has changed.
 */
export function mendStep(run: Run): Step<typeof MEND> {
  const { oldInstanceId } = run.record;
  const deadlineMs = ladderDeadlineMs(run.policy, run.plan.strategy);
  const memory: Memory = { instance: null, lookedAtMs: Number.NEGATIVE_INFINITY, putBack: false };
  const services = new ServiceLook(run, () => memory.instance?.privateIp ?? null);
  return {
    limitMs: deadlineMs + CLOSING_MS,
    prepare: async () => ({ instanceId: oldInstanceId, bootEpochBefore: requestOf(run)?.bootEpochBefore ?? null }),
    next: async (frozen, last) => {
      if (last) memory.putBack = true;
      const failed = notBegun(run);
      if (failed !== null) await refresh(run, memory);
      if (failed !== null && memory.instance === null && frozen.elapsedMs < LAST_LOOK_MS)
        return { kind: 'wait', text: `${failed}; waiting for EC2 to show ${oldInstanceId}` };
      if (failed !== null) return end(run, memory, { outcome: 'not-mended', why: failed });
      await refresh(run, memory);
      const verdict = await verdictOf(run, frozen, memory, services);
      if (verdict.kind === 'mended') return end(run, memory, { outcome: 'mended', why: backText(run) });
      if (verdict.kind === 'not-mended') return end(run, memory, { outcome: 'not-mended', why: verdict.text });
      if (frozen.elapsedMs < deadlineMs)
        return { kind: 'wait', text: verdict.text, forMs: verdict.againInMs ?? run.settings.pollMinMs };
      return unwell(run) ?? end(run, memory, { outcome: 'not-mended', why: overdue(deadlineMs, verdict.text) });
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `${oldInstanceId}: the recovery cannot be closed`,
    }),
  };
}

/** Why an undo has not come about; null: it is none. */
function undoFault({ journal, plan }: Run): string | null {
  if (!isUndo(plan)) return null;
  const error = journal.get(BRINGBACK)?.error ?? journal.get(VERIFY, 1)?.error;
  return `the undo did not come about: ${error?.text ?? 'it was given up'}`;
}

function backText(run: Run): string {
  const fault = undoFault(run);
  return fault === null ? `${run.plan.strategy} mended it` : `${fault}; ${run.record.oldInstanceId} is back`;
}

const overdue = (deadlineMs: number, text: string): string =>
  `not back after ${Math.round(deadlineMs / 1_000)} s: ${text}`;

const requestOf = (run: Run) => run.journal.get(REBOOT)?.request ?? run.journal.get(RESTART)?.request ?? null;

/** Why there is nothing to wait for; null: there is. */
function notBegun(run: Run): string | null {
  const reboot = run.journal.get(REBOOT)?.result;
  if (reboot) return reboot.asked ? null : reboot.why;
  const restart = run.journal.get(RESTART)?.result;
  return restart?.started === true ? null : (restart?.why ?? 'it was not started');
}

async function verdictOf(run: Run, frozen: Frozen<typeof MEND>, memory: Memory, services: ServiceLook) {
  const { bootEpochBefore } = frozen.request;
  const seen = {
    instance: memory.instance,
    heartbeat: run.parts.heartbeats.reading(run.record.member, run.record.oldInstanceId),
    bootEpochBefore: bootEpochBefore === null ? null : BigInt(bootEpochBefore),
    nowMs: run.nowMs(),
  };
  const alone = mendProgress({ ...seen, serviceFault: null }, run.policy);
  // An undo calls it off until it is closed (S9), so its services cannot pass before.
  return alone.kind === 'mended' && !isUndo(run.plan)
    ? mendProgress({ ...seen, serviceFault: await services.fault() }, run.policy)
    : alone;
}

/** What EC2 does not answer changes nothing: the heartbeats are the proof. */
async function refresh(run: Run, memory: Memory): Promise<void> {
  if (run.nowMs() - memory.lookedAtMs < INSTANCE_AGE_MS) return;
  memory.lookedAtMs = run.nowMs();
  const { oldInstanceId } = run.record;
  try {
    const found = await run.read((cloud, options) =>
      cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
    );
    memory.instance = found.find((one) => one.instanceId === oldInstanceId) ?? memory.instance;
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
}

/** A leader that cannot hear must not say that it is not back. null: it can. */
function unwell(run: Run): Move<typeof MEND> | null {
  if (run.parts.heartbeats.abstains?.() !== true) return null;
  const text = `${run.record.oldInstanceId} is not back in time, but this coordinator does not trust its own ears`;
  return { kind: 'hold', reason: 'ObserverUnwell', text };
}

/** Stop protection that the fence took off is put back first, where the instance stays. */
async function end(run: Run, memory: Memory, how: InPlaceEnd): Promise<Move<typeof MEND>> {
  if (!memory.putBack && takesProtectionOff(run))
    return { kind: 'act', calls: [protectCall(run.record.oldInstanceId)], text: 'putting stop protection back' };
  const lastLaunch = memory.instance ? { lastLaunchedAtWallMs: memory.instance.launchedAtWallMs } : {};
  return {
    kind: 'close',
    write: await closeInPlace(run, { ...how, leftAs: leftAs(run, how), lateCalls: openCalls(run), ...lastLaunch }),
  };
}

function leftAs(run: Run, { outcome }: InPlaceEnd): readonly string[] {
  if (outcome === 'mended') return [];
  const { oldInstanceId } = run.record;
  const stopped = fencedBy(run) === 'stopped' && run.journal.get(RESTART)?.result?.started !== true;
  return [stopped ? `${oldInstanceId} is stopped, by us` : `${oldInstanceId} runs, and is not back in service`];
}

export const mendKind = stepKind(MEND, mendStep, ({ intent: { oldInstanceId, plan } }) =>
  protectCalls(oldInstanceId, plan),
);
