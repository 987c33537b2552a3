import { type CloudNetworkInterface, invariant, OperationError, type PlacementCandidate } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { adviseOnLaunchError, type AttemptFailure } from '../core/launch-outcome.ts';
import { unfitReservation } from './reservation-look.ts';
import { buildPermitRequest } from '../core/launch-request.ts';
import { type NextAttempt, nextAttempt } from '../core/next-attempt.ts';
import { stepId } from '../core/step-id.ts';
import { capacityPauseMs } from '../core/pacing.ts';
import { keyAdvice } from '../core/volume-keys.ts';
import { attemptLimits, endedAttempts, hasOtherCandidate, planAdviceOf } from './attempts.ts';
import { volumesOf } from './captured-volumes.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import { HoldDecided } from '../hold.ts';
import { keyFactsOf } from './locked-volumes.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import type { Run } from '../run.ts';
import { PLACEMENT } from '../standing-hold.ts';
import { addressTaken, isAddressTaken } from './taken-address.ts';
import { permitCalls } from './attempt-calls.ts';
import { PERMIT } from './attempt-records.ts';
import { stepKind } from '../step-kind.ts';

/**
 * The network interface attempt n needs to launch: while it exists, a launch of this attempt may
 * still land; once it is confirmed gone, none can. Created with a ClientToken, so an unknown
 * outcome is answered by the same call.
 */
export function permitStep(run: Run, attempt: number): Step<typeof PERMIT> {
  const memory: Memory = { heldSinceMs: null, reply: null, refusals: 0 };
  return {
    limitMs: run.policy.recover.launchTimeoutMs + run.policy.recover.retryRefusedForMs,
    givesUpAs: 'LaunchAttemptsExhausted',
    prepare: async () => {
      const { round, candidateIndex, candidate } = await choose(run, attempt);
      const create = buildPermitRequest({
        intent: { ...run.record, plan: launchPlanOf(run.plan) },
        attempt,
        candidate,
      });
      return {
        round,
        candidateIndex,
        candidate,
        create: { ...create, groupIds: [...create.groupIds], tags: { ...create.tags } },
      };
    },
    next: async (frozen, last) => {
      if (isAddressTaken(last, frozen))
        return (await addressTaken(run, attempt, frozen, memory)) ?? create(frozen, memory);
      if (memory.reply === null)
        return last?.error ? onError(run, attempt, frozen, last, memory) : first(run, attempt, frozen, memory);
      return finish(run, memory.reply, last);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: `there is no network interface to launch attempt ${attempt} with, for as long as recover.retryRefusedForMs says`,
    }),
  };
}

async function choose(
  run: Run,
  attempt: number,
): Promise<{ round: number; candidateIndex: number; candidate: PlacementCandidate }> {
  const next = nextAttempt(endedAttempts(run, attempt), attemptLimits(run, attempt));
  if (next.kind === 'hold') throw new HoldDecided(next.reason, next.text);
  await waitForRoom(run, stepId('permit', attempt), next);
  const { candidates } = launchPlanOf(run.plan);
  const candidate = candidates[next.candidateIndex];
  invariant(candidate, `candidate ${next.candidateIndex} of ${candidates.length}`);
  return { round: next.round, candidateIndex: next.candidateIndex, candidate };
}

/** The pause between two turns of all candidates; a hold says so, once it has lasted. */
async function waitForRoom(run: Run, step: string, next: NextAttempt & { readonly kind: 'attempt' }): Promise<void> {
  const { shortage, pauseMs } = next;
  if (shortage === null) return;
  const {
    recover: { holdFailingAfterMs, retryRefusedForMs },
  } = run.policy;
  const { sinceWallMs } = shortage;
  const [since, until] = [sinceWallMs, sinceWallMs + retryRefusedForMs].map((wallMs) => new Date(wallMs).toISOString());
  if (run.wallMs() - sinceWallMs >= holdFailingAfterMs) {
    const advice = shortage.forKey ? ` ${keyAdvice(volumesOf(run), await keyFactsOf(run))}.` : '';
    const text = `nothing could be launched since ${since}: ${shortage.text}.${advice} All are asked again until ${until} (recover.retryRefusedForMs), with pauses of up to ${Math.ceil(
      run.settings.capacityPauseMaxMs / 1_000,
    )} s, and it goes on by itself. ${planAdviceOf(run)}`;
    await run.standing.want(PLACEMENT, {
      key: `${PLACEMENT} ${shortage.text}`,
      reason: shortage.forKey ? 'KmsKeyUnusable' : 'NoCapacity',
      ...{ text, sinceWallMs, untilWallMs: sinceWallMs + retryRefusedForMs },
    });
  }
  if (pauseMs === 0) return;
  run.say(
    step,
    `${shortage.forKey ? 'the key of a volume cannot be used' : 'no placement has room'}: asking again in ${Math.ceil(pauseMs / 1_000)} s (${shortage.text})`,
  );
  await run.nap(pauseMs);
}

interface Memory {
  /** Since when EC2 refuses the address, because it is in use. */
  heldSinceMs: number | null;
  reply: CloudNetworkInterface | null;
  /** For want of room. */
  refusals: number;
}

const act = (call: Call, text: string): Move<typeof PERMIT> => ({ kind: 'act', calls: [call], text });

const create = (frozen: Frozen<typeof PERMIT>, memory: Memory): Move<typeof PERMIT> =>
  act(
    {
      name: 'create',
      run: async (cloud, options) => {
        memory.reply = await cloud.createNetworkInterface(frozen.request.create, options);
      },
    },
    `creating the launch permit in ${frozen.request.candidate.az}`,
  );

/**
 * What a capacity reservation that the candidate names cannot take is not tried: EC2 says of one of
 * another zone or type that it is full, so it would be asked again and again. Only while nothing
 * was sent.
 */
async function first(
  run: Run,
  attempt: number,
  frozen: Frozen<typeof PERMIT>,
  memory: Memory,
): Promise<Move<typeof PERMIT>> {
  if (Object.keys(frozen.sends).length > 0) return create(frozen, memory);
  const unfit = await unfitReservation(run, frozen.request.candidate);
  if (unfit === null) return create(frozen, memory);
  const { failure, text } = unfit;
  if (failure === 'placement' || hasOtherCandidate(run, attempt))
    return { kind: 'failed', failure, code: 'CapacityReservation', text };
  memory.refusals += 1;
  const forMs = capacityPauseMs(memory.refusals, run.settings.capacityPauseMs, run.settings.capacityPauseMaxMs);
  return { kind: 'wait', text: `${text}, and no other placement to try`, forMs };
}

function onError(
  run: Run,
  attempt: number,
  frozen: Frozen<typeof PERMIT>,
  last: Attempt,
  memory: Memory,
): Move<typeof PERMIT> {
  const error = last.error ?? new OperationError('CLOUD_OUTCOME_UNKNOWN', 'no answer');
  const failed = (failure: AttemptFailure): Move<typeof PERMIT> => ({
    kind: 'failed',
    failure,
    code: error.upstreamCode ?? error.code,
    text: error.message,
  });
  const advice = adviseOnLaunchError(error);
  switch (advice.kind) {
    case 'failed': {
      memory.refusals += 1;
      if (advice.failure !== 'capacity' || hasOtherCandidate(run, attempt)) return failed(advice.failure);
      const forMs = capacityPauseMs(memory.refusals, run.settings.capacityPauseMs, run.settings.capacityPauseMaxMs);
      const text = `no room for a network interface (${error.upstreamCode ?? error.code}), and no other placement to try`;
      return { kind: 'wait', text, forMs };
    }
    case 'refused':
      return { kind: 'hold', reason: advice.reason, text: `EC2 refuses the network interface: ${error.message}` };
    case 'lag':
      if (frozen.elapsedMs > run.settings.lagGraceMs) return failed('placement');
      return { kind: 'wait', text: 'waiting for EC2 to know subnet and groups', forMs: run.settings.confirmSpacingMs };
    case 'observe':
      if (last.unknownCount > run.settings.maxUnknownOutcomes && hasOtherCandidate(run, attempt))
        return failed('unknown');
      return create(frozen, memory);
    case 'again':
      return create(frozen, memory);
  }
}

/**
 * The source/destination check is no member of the create call: set it while nothing uses the
 * interface, and see that it took.
 */
async function finish(run: Run, made: CloudNetworkInterface, last: Attempt | null): Promise<Move<typeof PERMIT>> {
  const { networkInterfaceId, privateIp } = made;
  const done: Move<typeof PERMIT> = { kind: 'done', result: { networkInterfaceId, privateIp } };
  const wanted = launchPlanOf(run.plan).sourceDestCheck;
  if (made.sourceDestCheck === wanted) return done;
  if (last?.name === 'attributes' && last.error === null) {
    const filters = { 'network-interface-id': [networkInterfaceId] };
    const seen = await run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
    return seen.some((one) => one.sourceDestCheck === wanted) ? done : attributes(networkInterfaceId, wanted);
  }
  if (last?.error?.code === 'CLOUD_REJECTED') {
    return { kind: 'hold', reason: 'CloudRejected', text: `source/destination check: ${last.error.message}` };
  }
  return attributes(networkInterfaceId, wanted);
}

const attributes = (networkInterfaceId: string, sourceDestCheck: boolean): Move<typeof PERMIT> =>
  act(
    {
      name: 'attributes',
      run: (cloud, options) => cloud.setNetworkInterfaceAttributes(networkInterfaceId, { sourceDestCheck }, options),
    },
    'setting the source/destination check of the permit',
  );

export const interfaceLeftover: LeftoverKind = {
  kind: 'network-interface',
  order: 1,
  text: () => 'network interface of an attempt',
  remove: (cloud, id, options) => cloud.deleteNetworkInterface(id, options),
};

export const permitKind = stepKind(PERMIT, (run, { attempt }) => permitStep(run, attempt), permitCalls);
