import { type CloudInstance, invariant, type LaunchRequest, type OperationError } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { adviseOnLaunchError, type AttemptFailure } from '../core/launch-outcome.ts';
import { buildLaunchRequest, withoutGoneKeyPair } from '../core/launch-request.ts';
import type { Frozen, Move, Step } from '../effect.ts';
import { isRateRefusal, withoutRate } from '../core/paths/initialization-rate.ts';
import { madeNothing } from '../core/refusals.ts';
import { endedAttempts, hasOtherCandidate } from './attempts.ts';
import { capacityPauseMs } from '../core/pacing.ts';
import { lockedHold, refusedForKey } from './locked-volumes.ts';
import { lookForLaunch, severalFound } from './look-for-launch.ts';
import { fencedBy } from './fenced-by.ts';
import type { Run } from '../run.ts';
import { launchCalls } from './attempt-calls.ts';
import { LAUNCH, PERMIT } from './attempt-records.ts';
import { PlaceGivenBack } from './give-place-back.ts';
import { stepKind } from '../step-kind.ts';

/**
 * The one launch of attempt n. The complete request is in the journal before it is sent and is sent
 * as it stands there. Unknown outcome: look by token, by permit and by tags; found: adopt; not
 * found: the same request with the same token again, which cannot launch twice in its zone. Nothing
 * is sent while the key of a volume is known to be unusable. A candidate's own fault, or no
 * capacity where there is another candidate, ends the attempt, and `revoke` makes sure of it. With
 * no other candidate the same request is sent again after a pause, which costs nothing but time.
 */
export function launchStep(run: Run, attempt: number): Step<typeof LAUNCH> {
  const place = new PlaceGivenBack(run);
  const memory: Memory = { reply: null, fruitlessLooks: 0, lagSinceMs: null, refusals: 0, refusedForSure: false };
  return {
    limitMs: run.policy.recover.launchTimeoutMs + run.settings.sendLimitMs + run.policy.recover.retryRefusedForMs,
    givesUpAs: 'LaunchAttemptsExhausted',
    prepare: async () => freeze(run, attempt),
    next: async (frozen, last) => {
      if (memory.reply) return launched(memory.reply.instanceId, 'reply');
      if (frozen.sends.run === undefined)
        return (await lockedHold(run)) ?? (await place.next()) ?? send(run, frozen, memory);
      if (last?.error) return onError(run, attempt, frozen, last.error, memory);
      // After a pause: what was certainly refused needs no look before it is asked for again.
      return memory.refusedForSure ? send(run, frozen, memory) : lookThenSend(run, attempt, frozen, memory);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `it is not known what became of the launch of attempt ${attempt}, for as long as recover.retryRefusedForMs says; it is followed up as recorded`,
    }),
  };
}

interface Memory {
  reply: CloudInstance | null;
  /**
   * Whole looks that found nothing after a call that may have launched; one that failed is none.
   */
  fruitlessLooks: number;
  lagSinceMs: number | null;
  /** Refusals of this request for want of room. */
  refusals: number;
  /** The newest send certainly launched nothing. */
  refusedForSure: boolean;
}

async function freeze(run: Run, attempt: number): Promise<{ networkInterfaceId: string; run: LaunchRequest }> {
  const permit = run.journal.get(PERMIT, attempt);
  const sources = run.strategy.launchSources(run, run.seams);
  // A seed in quarantine takes nothing from anybody, and is told nothing.
  invariant(fencedBy(run) !== null || run.isPreparation, 'launch before the fence is proven');
  invariant(
    permit?.request && permit.result && 'networkInterfaceId' in permit.result,
    `launch ${attempt} without permit`,
  );
  invariant(sources, `launch ${attempt} without image or snapshots`);
  const { networkInterfaceId } = permit.result;
  const plan = withoutGoneKeyPair(launchPlanOf(run.plan), endedAttempts(run, attempt));
  const { imageId, disks } = sources;
  const planned = disks.map((one) => one.volume);
  const refused = endedAttempts(run, attempt).some((one) => isRateRefusal(one.text));
  const volumes = refused ? withoutRate(planned) : planned;
  const snapshotIdsByVolume = Object.fromEntries(
    disks.flatMap(({ volume, source }) =>
      source.kind === 'snapshot' ? [[volume.volumeId, source.snapshotId] as const] : [],
    ),
  );
  return {
    networkInterfaceId,
    run: buildLaunchRequest({
      intent: { ...run.record, plan: { ...plan, volumes: [...volumes] } },
      attempt,
      candidate: permit.request.candidate,
      networkInterfaceId,
      imageId,
      snapshotIdsByVolume,
    }),
  };
}

const launched = (instanceId: string, foundBy: 'reply' | 'observation'): Move<typeof LAUNCH> => ({
  kind: 'done',
  result: { instanceId, foundBy },
});

function send(run: Run, frozen: Frozen<typeof LAUNCH>, memory: Memory): Move<typeof LAUNCH> {
  memory.refusedForSure = false;
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

/** null: nothing was launched, and all of the evidence was read. */
async function look(run: Run, attempt: number, frozen: Frozen<typeof LAUNCH>): Promise<Move<typeof LAUNCH> | null> {
  const finding = await lookForLaunch(run, attempt, frozen.request.networkInterfaceId);
  if (finding.kind === 'launched') return launched(finding.instanceId, 'observation');
  return finding.kind === 'several' ? severalFound(finding.instanceIds) : null;
}

const lookThenSend = async (
  run: Run,
  attempt: number,
  frozen: Frozen<typeof LAUNCH>,
  memory: Memory,
): Promise<Move<typeof LAUNCH>> =>
  (await look(run, attempt, frozen)) ?? (await lockedHold(run)) ?? send(run, frozen, memory);

const failed = (failure: AttemptFailure, error: OperationError): Move<typeof LAUNCH> => ({
  kind: 'failed',
  failure,
  code: error.upstreamCode ?? error.code,
  text: error.message,
});

async function onError(
  run: Run,
  attempt: number,
  frozen: Frozen<typeof LAUNCH>,
  error: OperationError,
  memory: Memory,
): Promise<Move<typeof LAUNCH>> {
  const advice = adviseOnLaunchError(error);
  if (madeNothing(error) && isRateRefusal(error.message)) return failed('capacity', error);
  switch (advice.kind) {
    case 'failed':
      return advice.failure === 'capacity' ? noRoom(run, attempt, error, memory) : failed(advice.failure, error);
    case 'refused':
      if (advice.reason === 'KmsKeyUnusable') return refusedForKey(run, `EC2 refuses the launch: ${error.message}`);
      return { kind: 'hold', reason: advice.reason, text: `EC2 refuses the launch: ${error.message}` };
    case 'again':
      return send(run, frozen, memory);
    case 'lag':
      return unseenPart(run, error, memory);
    case 'observe': {
      const found = await look(run, attempt, frozen);
      if (found) return found;
      memory.fruitlessLooks += 1;
      const enough = memory.fruitlessLooks > run.settings.maxUnknownOutcomes && hasOtherCandidate(run, attempt);
      return enough ? failed('unknown', error) : send(run, frozen, memory);
    }
  }
}

/**
 * Another candidate, where there is one; else the same request again after a pause that grows, and
 * now and then a new one with another token.
 */
function noRoom(run: Run, attempt: number, error: OperationError, memory: Memory): Move<typeof LAUNCH> {
  memory.refusals += 1;
  memory.refusedForSure = true;
  if (memory.refusals > run.settings.refusalsPerRequest || hasOtherCandidate(run, attempt))
    return failed('capacity', error);
  const { capacityPauseMs: firstMs, capacityPauseMaxMs: maxMs } = run.settings;
  const forMs = capacityPauseMs(memory.refusals, firstMs, maxMs);
  return {
    kind: 'wait',
    text: `no capacity (${error.upstreamCode ?? error.code}), and no other placement to try`,
    forMs,
  };
}

/**
 * EC2 does not see a part of the request: for a while because it is new; then because it is gone.
 * Without its permit only another attempt can launch.
 */
function unseenPart(run: Run, error: OperationError, memory: Memory): Move<typeof LAUNCH> {
  memory.lagSinceMs ??= run.nowMs();
  memory.refusedForSure = true;
  if (run.nowMs() - memory.lagSinceMs <= run.settings.lagGraceMs) {
    const text = `waiting for EC2 to know all parts of the launch (${error.upstreamCode ?? error.code})`;
    return { kind: 'wait', text, forMs: run.settings.confirmSpacingMs };
  }
  if (error.upstreamCode?.startsWith('InvalidNetworkInterface')) return failed('capacity', error);
  return { kind: 'hold', reason: 'CloudRejected', text: `EC2 does not know a part of the launch: ${error.message}` };
}

export const launchKind = stepKind(LAUNCH, (run, { attempt }) => launchStep(run, attempt), launchCalls);
