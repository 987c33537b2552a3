import type { InstanceState } from '@understudy/shared';
import { undoPlanOf } from '../core/undo/undo-plan.ts';
import type { Attempt, Call, Move, Step } from '../effect.ts';
import { plannedCall } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { STANDDOWN } from './undo-records.ts';

interface Memory {
  /** When the newest Stop of this run was answered. */
  askedAtMs: number | null;
  /** First of the unbroken run of `stopped` looks after that. */
  stoppedSinceMs: number | null;
}

const MODE = { force: true, skipOsShutdown: false } as const;

/**
 * Stops the retired instance again, where the undo does not come about, and sees it stopped. It has
 * served nobody. Until then the recovery stays open: a second machine of the member that runs would
 * keep the member from being recovered.
 */
export function standdownStep(run: Run): Step<typeof STANDDOWN> {
  const { instanceId } = undoPlanOf(run.plan).undo;
  const memory: Memory = { askedAtMs: null, stoppedSinceMs: null };
  return {
    limitMs: run.policy.recover.fenceTimeoutMs,
    prepare: async () => ({ instanceId }),
    next: async (_frozen, last) => {
      if (last?.error?.upstreamCode === 'OperationNotPermitted')
        return { kind: 'act', calls: [unprotect(instanceId)], text: 'clearing stop protection' };
      if (last?.name === 'stop' && last.error?.code === 'CLOUD_NOT_FOUND')
        return { kind: 'done', result: { how: 'gone' } };
      if (isAnswered(last)) memory.askedAtMs = run.nowMs();
      const state = await stateOf(run, instanceId);
      if (state === 'terminated') return { kind: 'done', result: { how: 'gone' } };
      return settle(run, memory, instanceId, state);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: `${instanceId} was started for an undo that did not come about, and is not seen stopped again. Stop it to go on`,
    }),
  };
}

const isAnswered = (last: Attempt | null): boolean =>
  last?.name === 'stop' && (last.error === null || last.error.code === 'CLOUD_OUTCOME_UNKNOWN');

function settle(run: Run, memory: Memory, instanceId: string, state: InstanceState | null): Move<typeof STANDDOWN> {
  const nowMs = run.nowMs();
  const { confirmSpacingMs, restopAfterMs } = run.settings;
  if (memory.askedAtMs === null) return act(instanceId);
  memory.stoppedSinceMs = state === 'stopped' ? (memory.stoppedSinceMs ?? nowMs) : null;
  if (memory.stoppedSinceMs !== null && nowMs - memory.stoppedSinceMs >= confirmSpacingMs)
    return { kind: 'done', result: { how: 'stopped' } };
  if (state === 'stopped') return { kind: 'wait', text: 'stopped: looking once more', forMs: confirmSpacingMs };
  const isDue = state === 'running' && nowMs - memory.askedAtMs >= restopAfterMs;
  return isDue ? act(instanceId) : { kind: 'wait', text: `stopping ${instanceId} again: ${state ?? 'not shown'}` };
}

const act = (instanceId: string): Move<typeof STANDDOWN> => ({
  ...{ kind: 'act', text: `stopping ${instanceId} again` },
  calls: [{ name: 'stop', run: (cloud, options) => cloud.stopInstance(instanceId, MODE, options) }],
});

const unprotect = (instanceId: string): Call => ({
  name: 'unprotect',
  run: (cloud, options) => cloud.setProtection(instanceId, { stop: false }, options),
});

async function stateOf(run: Run, instanceId: string): Promise<InstanceState | null> {
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  return found.find((one) => one.instanceId === instanceId)?.state ?? null;
}

export const standdownKind = stepKind(STANDDOWN, standdownStep, ({ intent: { plan } }) => {
  const { instanceId } = undoPlanOf(plan).undo;
  const failed = 'the retired instance does not come back';
  return [
    plannedCall('stop', (cloud, options) => cloud.stopInstance(instanceId, MODE, options), failed),
    plannedCall('unprotect', (cloud, options) => cloud.setProtection(instanceId, { stop: false }, options), failed),
  ];
});
