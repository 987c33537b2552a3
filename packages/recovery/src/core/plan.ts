import type { GroupPolicy, PlannedAddress, RecoveryPlan, SnapshotAndReplacePlan } from '@understudy/shared';
import type { Baggage } from './candidate-fit.ts';
import type { Finding } from './finding.ts';
import type { PlanInput } from './plan-input.ts';
import { launchPlan } from './launch-plan.ts';
import { referencesAfter, trialProblems } from './launch-trial.ts';
import { missingLosses, withoutMissing } from './references.ts';
import { carriedTags, limitTags } from './launch-tags.ts';
import { placementsOf } from './placement.ts';
import { blockersOf, noPlacementOutside } from './plan-blockers.ts';
import { imageOf, launchBaseOf } from './plan-launch-base.ts';
import { plannedVolumes } from './planned-volumes.ts';
import { userDataOf } from './plan-first-boot.ts';
import { lossesOf } from './plan-losses.ts';
import { isCarriedAddress, primaryInterfaceOf } from './plan-raw.ts';
import { uncheckedProblems } from './volume-keys.ts';

export type PlanResult<P extends RecoveryPlan = SnapshotAndReplacePlan> =
  /** `problems`: a recovery can start, and yet somebody should look. */
  | { readonly kind: 'plan'; readonly plan: P; readonly problems: readonly Finding[] }
  /** Recovery is refused; at enrolment the same findings are the member's readiness problems. */
  | { readonly kind: 'blocked'; readonly problems: readonly Finding[] };

/**
 * What enrolment writes into `members/…`: empty = a recovery could start now, also if the member's
 * zone were lost, where the policy acts on that.
 */
export function readinessProblemsOf(result: PlanResult<RecoveryPlan>, ownAz: string | null = null): readonly Finding[] {
  if (result.kind === 'blocked') return result.problems;
  const { policy } = result.plan;
  if (ownAz === null || policy.whenZoneLost !== 'recover') return result.problems;
  const leaves = launchPlan(result.plan)?.candidates.some((candidate) => candidate.az !== ownAz);
  return leaves ? result.problems : [...result.problems, noPlacementOutside(ownAz)];
}

/**
 * Decides once, before the intent, what the replacement will be: everything of the failed instance
 * is carried in `launchBase`, re-applied after the launch, or named in `losses` (the 42 rows:
 * `plan-fidelity.ts`). Nothing is placed in `leaveAz`, a lost zone. Pure: same input, same plan.
 */
export function makePlan(gathered: PlanInput, policy: GroupPolicy, leaveAz: string | null = null): PlanResult {
  const input = { ...gathered, references: referencesAfter(gathered.references, gathered.trial) };
  const { instance } = input;
  const primary = primaryInterfaceOf(instance);
  const placements = placementsOf(
    {
      ownSubnetId: primary?.subnetId ?? instance.subnetId,
      ownInstanceType: instance.instanceType,
      subnets: input.subnets,
      baggage: baggageOf(input),
      typeFacts: input.typeFacts,
    },
    policy,
    leaveAz,
  );
  const problems = blockersOf(input, placements, policy);
  const image = imageOf(input);
  if (problems.length > 0 || image === null || !primary) return { kind: 'blocked', problems };
  const own = input.networkInterfaces.find((other) => other.networkInterfaceId === primary.networkInterfaceId);
  const missing = missingLosses(instance, input.references, policy);
  return {
    kind: 'plan',
    problems: [
      ...missing,
      ...placements.skipped,
      ...uncheckedProblems(input.volumes, input.references.keys),
      ...trialProblems(input.trial),
    ],
    plan: {
      strategy: policy.strategy,
      policy,
      volumes: [...plannedVolumes(input.instance, input.volumes)],
      addresses: plannedAddresses(input),
      candidates: [...placements.candidates],
      image,
      securityGroupIds: [...primary.groupIds],
      primaryInterfaceId: primary.networkInterfaceId,
      sourceDestCheck: own?.sourceDestCheck ?? true,
      networkInterfaceTags: limitTags(carriedTags(own?.tags ?? {})),
      protection: input.protection,
      oldLaunchedAtWallMs: instance.launchedAtWallMs,
      instanceTags: limitTags(carriedTags(instance.tags)),
      launchBase: withoutMissing(launchBaseOf(input, userDataOf(input, policy)), input.references),
      losses: [...missing, ...lossesOf(input, placements, policy)],
    },
  };
}

function baggageOf(input: PlanInput): Baggage {
  const image = imageOf(input);
  return {
    architecture: image?.architecture ?? null,
    virtualizationType: image?.virtualizationType ?? null,
    bootMode: image?.bootMode ?? null,
    enaSupport: image?.enaSupport ?? true,
    hasTpm: (image?.tpmSupport ?? null) !== null,
    volumeCount: input.instance.volumes.length,
  };
}

/** Those on the primary private address of the primary interface; the others are in `losses`. */
function plannedAddresses(input: PlanInput): PlannedAddress[] {
  return input.addresses
    .filter((address) => isCarriedAddress(address, input.instance))
    .map(({ allocationId, publicIp, associationId }) => ({ allocationId, publicIp, associationId }));
}
