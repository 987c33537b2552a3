import { type GuardedDelete, invariant, retryAdvice } from '@understudy/shared';
import { type AttemptLimits, condemned, type EndedAttempt } from '../core/next-attempt.ts';
import { launchPlanOf } from '../core/launch-plan.ts';
import { stepId } from '../core/step-id.ts';
import { addressWanted } from '../core/predecessor.ts';
import { giveUpText } from '../give-up.ts';
import type { Run } from '../run.ts';
import { PERMIT, REVOKE } from './attempt-records.ts';
import { mayBeEnded } from './predecessor-end.ts';

/**
 * Attempts of which the journal keeps a record although they made nothing: two turns of all
 * candidates, for their reasons.
 */
const TURNS_KEPT = 2;
const DELETES_MAX = 8;

/**
 * The attempts before `attempt` under the present plan that the journal still has, with where they
 * were and why they ended.
 */
export function endedAttempts(run: Run, attempt: number): EndedAttempt[] {
  const ended: EndedAttempt[] = [];
  const before = run.record.attemptsBeforePlan ?? 0;
  for (let number = before + 1; number < attempt; number += 1) {
    const entry = run.journal.get(REVOKE, number);
    if (!entry?.request) continue;
    const { round, candidateIndex, failure, text, seriesLength, seriesSinceWallMs } = entry.request;
    const endedAtWallMs = entry.endedAtWallMs ?? entry.startedAtWallMs;
    ended.push({ round, candidateIndex, failure, text, endedAtWallMs, seriesLength, seriesSinceWallMs });
  }
  invariant(
    attempt === before + 1 || ended.length > 0,
    `attempt ${attempt - 1} has not been ended, but ${attempt} begins`,
  );
  return ended;
}

export function attemptLimits(run: Run, attempt: number): AttemptLimits {
  const { candidates, policy } = launchPlanOf(run.plan);
  const { condemnedForMs, capacityPauseMs, capacityPauseMaxMs } = run.settings;
  return {
    member: run.record.member,
    ...(mayBeEnded(run) && { advice: planAdviceOf(run) }),
    candidates,
    maxAttempts: policy.recover.maxLaunchAttempts,
    // Ended before this run began and not held now: the hold was taken away by a person.
    retryAsked: run.endedAtStart === attempt - 1 && !run.heldAtStart,
    nowWallMs: run.wallMs(),
    retryRefusedForMs: policy.recover.retryRefusedForMs,
    ...{ condemnedForMs, pauseMs: capacityPauseMs, pauseMaxMs: capacityPauseMaxMs },
  };
}

/**
 * What a person can do where nothing can be launched. No plan is made again of a predecessor that
 * has ended for its address; to give that up opens the other places of the plan.
 */
export function planAdviceOf(run: Run): string {
  const { member } = run.record;
  if (!mayBeEnded(run)) return retryAdvice(member, 'plan-may-be-wrong');
  const address = addressWanted(launchPlanOf(run.plan));
  if (address === null) return retryAdvice(member);
  return `${retryAdvice(member)}. ${giveUpText(run, `primary:${address}`)}; the other places that the policy named are asked then, too`;
}

/** Is there another placement to try, beside that of `attempt`? */
export function hasOtherCandidate(run: Run, attempt: number): boolean {
  const { candidateIndex } = run.journal.get(PERMIT, attempt)?.request ?? { candidateIndex: 0 };
  const refused = condemned(endedAttempts(run, attempt), attemptLimits(run, attempt));
  return launchPlanOf(run.plan).candidates.some((_, index) => index !== candidateIndex && !refused.has(index));
}

/**
 * Records that nobody needs any more once attempt n has ended without making anything: its own
 * request, with the whole user data, and the reasons of attempts long ago. So the journal does not
 * grow with the hours a shortage lasts: it has at most {@link TURNS_KEPT} small records per
 * candidate.
 */
export function recordsToDrop(run: Run, attempt: number): readonly GuardedDelete[] {
  const { opId } = run.record;
  const kept = TURNS_KEPT * launchPlanOf(run.plan).candidates.length;
  const old = endedSteps(run, attempt - kept);
  return [...['permit', 'launch', 'seed', 'assemble', 'verify'].map((name) => stepId(name, attempt)), ...old].flatMap(
    (step) => {
      const expect = run.journal.modRevision(step);
      return expect === 0 ? [] : [{ key: run.parts.keys.journalStep(opId, step), expect }];
    },
  );
}

/**
 * Never the record of an attempt whose replacement ran or should have: those are what
 * `maxLaunchAttempts` counts.
 */
function endedSteps(run: Run, before: number): readonly string[] {
  const steps: string[] = [];
  for (let number = before - 1; number >= 1 && steps.length < DELETES_MAX; number -= 1) {
    const request = run.journal.get(REVOKE, number)?.request;
    if (request && request.failure !== 'instance') steps.push(stepId('revoke', number));
  }
  return steps;
}
