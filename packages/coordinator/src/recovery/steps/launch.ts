import { clientTokenOf, type CloudInstance, invariant, type LaunchRequest, TAG } from '@understudy/shared';
import { adviseOnLaunchError, findLaunched, type LaunchFinding } from '../../core/recovery/launch-outcome.ts';
import { buildLaunchRequest } from '../../core/recovery/launch-request.ts';
import { volumesOf } from '../captured-volumes.ts';
import type { Attempt, Frozen, Move, Step } from '../effect.ts';
import type { Run } from '../run.ts';

/**
 * The one launch of attempt n. The complete request is in the journal before it is sent and is sent as it stands there. Unknown outcome:
 * look by token, by permit and by tags; found: adopt; not found: the same request with the same token again, which cannot launch twice in
 * its zone. A definite failure ends the attempt, and `revoke` makes sure of it.
 */
export function launchStep(run: Run, attempt: number): Step<'launch'> {
  const memory: Memory = { reply: null, fruitlessLooks: 0, lagSinceMs: null };
  return {
    limitMs: run.policy.launchTimeoutMs + run.settings.sendLimitMs,
    prepare: async () => freeze(run, attempt),
    next: async (frozen, last) => {
      if (memory.reply) return launched(memory.reply.instanceId, 'reply');
      if (frozen.sends.run === undefined) return send(run, frozen, memory);
      return last?.error ? onError(run, attempt, frozen, last, memory) : lookThenSend(run, attempt, frozen, memory);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `no answer to the launch of attempt ${attempt} within ${run.policy.launchTimeoutMs} ms; it is followed up as recorded`,
    }),
  };
}

interface Memory {
  reply: CloudInstance | null;
  /** Looks that found nothing after a call that may have launched. */
  fruitlessLooks: number;
  lagSinceMs: number | null;
}

async function freeze(run: Run, attempt: number): Promise<{ networkInterfaceId: string; run: LaunchRequest }> {
  const permit = run.journal.get('permit', `permit-${attempt}`);
  const image = run.journal.get('image', 'image')?.result;
  const capture = run.journal.get('capture', 'capture')?.result;
  invariant(run.journal.get('fence', 'fence')?.state === 'done', 'launch before the fence is proven');
  invariant(
    permit?.request && permit.result && 'networkInterfaceId' in permit.result,
    `launch ${attempt} without permit`,
  );
  invariant(image && capture, `launch ${attempt} without image or snapshots`);
  const { networkInterfaceId } = permit.result;
  const snapshotIdsByVolume = Object.fromEntries(capture.snapshots.map((one) => [one.volumeId, one.snapshotId]));
  return {
    networkInterfaceId,
    run: buildLaunchRequest({
      intent: { ...run.record, plan: { ...run.plan, volumes: [...volumesOf(run)] } },
      attempt,
      candidate: permit.request.candidate,
      networkInterfaceId,
      imageId: image.imageId,
      snapshotIdsByVolume,
    }),
  };
}

const launched = (instanceId: string, foundBy: 'reply' | 'observation'): Move<'launch'> => ({
  kind: 'done',
  result: { instanceId, foundBy },
});

function send(run: Run, frozen: Frozen<'launch'>, memory: Memory): Move<'launch'> {
  return {
    kind: 'act',
    text: 'launching the replacement',
    calls: [
      {
        name: 'run',
        run: async (cloud, options) => {
          const reply = await cloud.runInstances(frozen.request.run, options);
          run.parts.log.info('recovery.launched', { instanceId: reply.instanceId });
          memory.reply = reply;
        },
      },
    ],
  };
}

/** Three independent reads of what attempt n launched. Used by `revoke` too. */
export async function lookForLaunch(run: Run, attempt: number, networkInterfaceId: string): Promise<LaunchFinding> {
  const clientToken = clientTokenOf(run.record.oldInstanceId, 'launch', attempt, run.record.ordinal);
  const tagFilters = { [`tag:${TAG.op}`]: [run.record.opId], [`tag:${TAG.attempt}`]: [String(attempt)] };
  const [byToken, byTags, permits] = await Promise.all([
    run.read((cloud, options) => cloud.describeInstances({ 'client-token': [clientToken] }, options)),
    run.read((cloud, options) => cloud.describeInstances(tagFilters, options)),
    run.read((cloud, options) =>
      cloud.describeNetworkInterfaces({ 'network-interface-id': [networkInterfaceId] }, options),
    ),
  ]);
  const permitHolder = permits.find((one) => one.attachedInstanceId !== null)?.attachedInstanceId ?? null;
  return findLaunched({ byToken, byTags, permitHolder }, clientToken, networkInterfaceId);
}

export const severalFound = (instanceIds: readonly string[]): Move<never> => ({
  kind: 'hold',
  reason: 'TwoInstancesClaimMember',
  text: `one launch attempt shows several instances: ${instanceIds.join(', ')}`,
});

async function lookThenSend(
  run: Run,
  attempt: number,
  frozen: Frozen<'launch'>,
  memory: Memory,
): Promise<Move<'launch'>> {
  const finding = await lookForLaunch(run, attempt, frozen.request.networkInterfaceId);
  if (finding.kind === 'launched') return launched(finding.instanceId, 'observation');
  if (finding.kind === 'several') return severalFound(finding.instanceIds);
  return send(run, frozen, memory);
}

async function onError(
  run: Run,
  attempt: number,
  frozen: Frozen<'launch'>,
  last: Attempt,
  memory: Memory,
): Promise<Move<'launch'>> {
  const error = last.error;
  invariant(error, 'onError without an error');
  const failed = (failure: 'capacity' | 'placement' | 'instance'): Move<'launch'> => ({
    kind: 'failed',
    failure,
    code: error.upstreamCode ?? error.code,
    text: error.message,
  });
  const advice = adviseOnLaunchError(error);
  switch (advice.kind) {
    case 'failed':
      return failed(advice.failure);
    case 'refused':
      return { kind: 'hold', reason: advice.reason, text: `EC2 refuses the launch: ${error.message}` };
    case 'again':
      return send(run, frozen, memory);
    case 'lag':
      memory.lagSinceMs ??= run.nowMs();
      if (run.nowMs() - memory.lagSinceMs > run.settings.lagGraceMs) return failed('capacity');
      return {
        kind: 'wait',
        text: 'waiting for EC2 to know image and network interface',
        forMs: run.settings.confirmSpacingMs,
      };
    case 'observe':
      memory.fruitlessLooks += 1;
      if (memory.fruitlessLooks > run.settings.maxUnknownOutcomes) return failed('capacity');
      return lookThenSend(run, attempt, frozen, memory);
  }
}
