import { type CloudNetworkInterface, invariant, OperationError, type PlacementCandidate } from '@understudy/shared';
import { adviseOnLaunchError } from '../../core/recovery/launch-outcome.ts';
import { buildPermitRequest } from '../../core/recovery/launch-request.ts';
import { type EndedAttempt, nextAttempt } from '../../core/recovery/next-attempt.ts';
import type { Attempt, Call, Frozen, Move, Step } from '../effect.ts';
import { HoldDecided } from '../hold.ts';
import type { Run } from '../run.ts';

/**
 * The network interface attempt n needs to launch: while it exists, a launch of this attempt may still land; once it is confirmed gone, none
 * can. Created with a ClientToken, so an unknown outcome is answered by the same call.
 */
export function permitStep(run: Run, attempt: number): Step<'permit'> {
  const memory: { reply: CloudNetworkInterface | null } = { reply: null };
  return {
    limitMs: run.policy.launchTimeoutMs + run.settings.capacityPauseMs,
    prepare: async () => {
      const { round, candidateIndex, candidate } = await choose(run, attempt);
      const create = buildPermitRequest({ intent: run.record, attempt, candidate });
      return {
        round,
        candidateIndex,
        candidate,
        create: { ...create, groupIds: [...create.groupIds], tags: { ...create.tags } },
      };
    },
    next: async (frozen, last) => {
      if (memory.reply === null) return last?.error ? onError(run, frozen, last, memory) : create(frozen, memory);
      return finish(run, memory.reply, last);
    },
    onTimeout: () => ({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: 'EC2 gives no network interface to launch with',
    }),
  };
}

/** The attempts before this one under the present plan, with where they were and why they ended. */
function endedAttempts(run: Run, attempt: number): EndedAttempt[] {
  return Array.from({ length: attempt - 1 }, (_, index) => {
    const request = run.journal.get('revoke', `revoke-${index + 1}`)?.request;
    invariant(request, `attempt ${index + 1} has not been ended, but ${attempt} begins`);
    const { round, candidateIndex, failure, text } = request;
    return { round, candidateIndex, failure, text };
  }).slice(run.record.attemptsBeforePlan ?? 0);
}

async function choose(
  run: Run,
  attempt: number,
): Promise<{ round: number; candidateIndex: number; candidate: PlacementCandidate }> {
  const { candidates, policy } = run.plan;
  const next = nextAttempt(endedAttempts(run, attempt), {
    candidateCount: candidates.length,
    maxAttempts: policy.maxLaunchAttempts,
    // Ended before this run began and not held now: the hold was taken away by a person.
    retryAsked: run.endedAtStart === attempt - 1 && !run.heldAtStart,
  });
  if (next.kind === 'hold') throw new HoldDecided(next.reason, next.text);
  if (next.pauseFirst) {
    run.say(`permit-${attempt}`, 'no capacity anywhere: pausing before the next round');
    await run.sleep(run.settings.capacityPauseMs);
  }
  const candidate = candidates[next.candidateIndex];
  invariant(candidate, `candidate ${next.candidateIndex} of ${candidates.length}`);
  return { round: next.round, candidateIndex: next.candidateIndex, candidate };
}

type Memory = { reply: CloudNetworkInterface | null };

const act = (call: Call, text: string): Move<'permit'> => ({ kind: 'act', calls: [call], text });

const create = (frozen: Frozen<'permit'>, memory: Memory): Move<'permit'> =>
  act(
    {
      name: 'create',
      run: async (cloud, options) => {
        memory.reply = await cloud.createNetworkInterface(frozen.request.create, options);
      },
    },
    `creating the launch permit in ${frozen.request.candidate.az}`,
  );

function onError(run: Run, frozen: Frozen<'permit'>, last: Attempt, memory: Memory): Move<'permit'> {
  const error = last.error ?? new OperationError('CLOUD_OUTCOME_UNKNOWN', 'no answer');
  const advice = adviseOnLaunchError(error);
  switch (advice.kind) {
    case 'failed':
      return { kind: 'failed', failure: advice.failure, code: error.code, text: error.message };
    case 'refused':
      return { kind: 'hold', reason: advice.reason, text: `EC2 refuses the network interface: ${error.message}` };
    case 'lag':
      if (frozen.elapsedMs > run.settings.lagGraceMs) {
        return { kind: 'failed', failure: 'placement', code: error.code, text: error.message };
      }
      return { kind: 'wait', text: 'waiting for EC2 to know subnet and groups', forMs: run.settings.confirmSpacingMs };
    case 'observe':
      if (last.unknownCount > run.settings.maxUnknownOutcomes) {
        return { kind: 'failed', failure: 'capacity', code: error.code, text: error.message };
      }
      return create(frozen, memory);
    case 'again':
      return create(frozen, memory);
  }
}

/** The source/destination check is no member of the create call: set it while nothing uses the interface, and see that it took. */
async function finish(run: Run, made: CloudNetworkInterface, last: Attempt | null): Promise<Move<'permit'>> {
  const { networkInterfaceId, privateIp } = made;
  const done: Move<'permit'> = { kind: 'done', result: { networkInterfaceId, privateIp } };
  const wanted = run.plan.sourceDestCheck;
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

const attributes = (networkInterfaceId: string, sourceDestCheck: boolean): Move<'permit'> =>
  act(
    {
      name: 'attributes',
      run: (cloud, options) => cloud.setNetworkInterfaceAttributes(networkInterfaceId, { sourceDestCheck }, options),
    },
    'setting the source/destination check of the permit',
  );
