import { isOperationError, type MemberId, type LaunchPlan, type RecoveryPlan, groupOf } from '@understudy/shared';
import { launchPlan } from '../core/launch-plan.ts';
import { noPlacementOutside } from '../core/fidelity/placement.ts';
import { candidatesOutsideLostZones, type PresentPolicy, type ZonesToLeave } from '../core/replanned.ts';
import { stepId } from '../core/step-id.ts';
import { currentAttempt } from '../core/step-table.ts';
import { gatherPlanInput } from '../plan/gather-plan-input.ts';
import { HoldDecided } from '../hold.ts';
import type { StoredRequest } from '../request.ts';
import { atLevel } from '../registry.ts';
import { isPassing, type Run } from '../run.ts';
import { type DriveStep, endOpenAttempt } from './end-attempt.ts';
import { planAdviceOf } from '../steps/attempts.ts';
import { mayBeEnded } from '../steps/predecessor-end.ts';
import { type CarriedOut, journalCompares, refuse, rewriteIntent } from './outcome.ts';

/** null: not known here; the policy stays as frozen. */
export type PolicySource = (member: MemberId) => PresentPolicy | null;

interface Options {
  readonly drive: DriveStep;
  readonly policyOf: PolicySource;
}

type NewPlan =
  | { readonly kind: 'plan'; readonly plan: RecoveryPlan; readonly basis: PresentPolicy | null }
  | { readonly kind: 'refused'; readonly text: string };

/**
 * **S** A new plan under the same proven fence, in place of one that cannot work: only while
 * nothing is activated, and once the open attempt is ended, so that nothing of the old plan can be
 * launched beside it. Attempts, and so ClientTokens, go on counting. The old plan stays if the new
 * one cannot be made.
 */
export async function replan(run: Run, request: StoredRequest, options: Options): Promise<CarriedOut> {
  const states = run.journal.states();
  if (states.get('activate') === 'done')
    return refuse(run, request, 'its replacement is in charge: there is nothing to plan');
  if (states.get('fence') !== 'done')
    return refuse(run, request, 'the old instance is not proven stopped yet: nothing of the plan was begun');
  if (mayBeEnded(run))
    return refuse(
      run,
      request,
      `the old instance is being ended, or has: no plan can be made of it again. ${planAdviceOf(run)}`,
    );
  const before = await newPlan(run, options);
  if (before.kind === 'refused') return refuse(run, request, before.text);
  const { by, why } = request.record;
  await endOpenAttempt(run, options.drive, `replanned by ${by}: ${why}`);
  const made = await newPlan(run, options);
  if (made.kind === 'refused') return refuse(run, request, made.text);
  const { keys } = run.parts;
  const { member, planRevision = 1 } = run.record;
  const next = currentAttempt(run.journal.states());
  const group = groupOf(member);
  const absent = [...['permit', 'launch', 'verify'].map((name) => stepId(name, next)), 'activate'];
  return rewriteIntent(run, request, {
    change: { plan: made.plan, planRevision: planRevision + 1, attemptsBeforePlan: next - 1 },
    text: `plan ${planRevision + 1}: ${(launchPlan(made.plan)?.candidates ?? []).map((one) => `${one.az} ${one.instanceType}`).join(', ')}`,
    also: [
      ...journalCompares(run, absent),
      ...(made.basis === null ? [] : [{ key: keys.group(group), modRevision: made.basis.modRevision }]),
    ],
  });
}

/** The plan without the placements it may not have; null: none is left. */
function outside(plan: RecoveryPlan, zones: ZonesToLeave): RecoveryPlan | null {
  const launch = launchPlan(plan);
  if (launch === null) return plan;
  const candidates = candidatesOutsideLostZones(launch.candidates, zones);
  const narrowed: LaunchPlan = { ...launch, candidates: [...candidates] };
  return candidates.length === 0 ? null : narrowed;
}

async function newPlan(run: Run, { policyOf }: Options): Promise<NewPlan> {
  const { record, plan: frozen, parts, strategy } = run;
  const basis = policyOf(record.member);
  const policy = basis?.policy ?? frozen.policy;
  if (!strategy.replanned)
    return { kind: 'refused', text: `a plan of the strategy ${strategy.name} cannot be made again` };
  try {
    const input = await gatherPlanInput(parts.cloud, record.oldInstanceId, policy, {
      signal: run.signal,
      wallMs: () => run.wallMs(),
      firstImageId: launchPlan(frozen)?.firstImageId,
      ...(parts.keyLooks && { keyLooks: parts.keyLooks }),
    });
    const { lostZones = [] } = basis ?? {};
    const leaves = policy.guard.whenZoneLost === 'recover' && lostZones.includes(record.oldAz);
    // Whatever is in force by now: the new plan needs no build that the old one did not need.
    const level = run.record.neededLevel ?? 1;
    const leaveAz = leaves ? record.oldAz : null;
    const result = strategy.plan({ ...input, level }, policy, leaveAz, atLevel(run.seams, level));
    if (result.kind === 'blocked')
      return { kind: 'refused', text: result.problems.map((one) => `${one.code}: ${one.text}`).join('; ') };
    const before = launchPlan(frozen)?.candidates ?? [];
    const plan = outside(result.plan, { policy, lostZones, oldAz: record.oldAz, before });
    if (plan === null) return { kind: 'refused', text: noPlacementOutside(lostZones.join(', ')).text };
    const { startMayLand, wasDown, ladder } = frozen;
    const kept = {
      ...(startMayLand !== undefined && { startMayLand }),
      ...(wasDown && { wasDown }),
      ...(ladder && { ladder }),
    };
    return { kind: 'plan', plan: { ...strategy.replanned(run, plan), ...kept }, basis };
  } catch (error) {
    run.signal.throwIfAborted();
    if (!isOperationError(error) || !error.code.startsWith('CLOUD_')) throw error;
    if (isPassing(error) && error.code !== 'CLOUD_NOT_FOUND')
      throw new HoldDecided('CloudUnavailable', `a new plan needs EC2: ${error.message}`, { cause: error });
    return { kind: 'refused', text: error.message };
  }
}
