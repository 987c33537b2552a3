import {
  FEATURE_LEVEL,
  type GroupPolicy,
  rawOf,
  type RecoveryPlan,
  type SnapshotAndReplacePlan,
  textOf,
  LEVEL_OF,
} from '@understudy/shared';
import type { Baggage } from './candidate-fit.ts';
import { carriedPlanOf, imageOf, launchBaseOf, typeBoundOf } from './fidelity/carried.ts';
import { lossesOf, noticesOf, refusalsOf } from './fidelity/table.ts';
import { noPlacementOutside } from './fidelity/placement.ts';
import { follows, pinnedTo } from './fidelity/primary-address.ts';
import { primaryInterfaceOf } from './fidelity/primary-interface.ts';
import type { Finding } from './finding.ts';
import { type OfferedPaths, pathsFor, SNAPSHOTS_ONLY, withinZone } from './paths/paths-for.ts';
import { launchPlan } from './launch-plan.ts';
import { referencesAfter, trialProblems } from './launch-trial.ts';
import { NAMED_BY_NOTHING, namedPlanOf } from './named-by.ts';
import { placementsOf } from './placement.ts';
import type { PlanInput } from './plan-input.ts';
import { firstImageOf } from './seed-image.ts';

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
  if (ownAz === null || policy.guard.whenZoneLost !== 'recover') return result.problems;
  const leaves = launchPlan(result.plan)?.candidates.some((candidate) => candidate.az !== ownAz);
  return leaves ? result.problems : [...result.problems, noPlacementOutside(ownAz)];
}

/**
 * Decides once, before the intent, what the replacement will be: each attribute of the failed
 * instance is carried, put back after the launch, or named in `losses`, as its row of the fidelity
 * table says. Its disks take the `paths` that the strategy offers. Nothing is placed in `leaveAz`,
 * a lost zone. Pure: same input, same plan.
 */
export function makePlan(
  gathered: PlanInput,
  policy: GroupPolicy,
  leaveAz: string | null = null,
  paths: OfferedPaths = SNAPSHOTS_ONLY,
): PlanResult {
  const input = { ...gathered, references: referencesAfter(gathered.references, gathered.trial) };
  const { instance } = input;
  const primary = primaryInterfaceOf(instance);
  const allPlacements = placementsOf(
    {
      ownSubnetId: primary?.subnetId ?? instance.subnetId,
      ownInstanceType: instance.instanceType,
      subnets: input.subnets,
      baggage: baggageOf(input),
      typeFacts: input.typeFacts,
      reservations: input.reservations,
      level: input.level,
    },
    policy,
    leaveAz,
  );
  const placements = follows(input, policy) ? pinnedTo(allPlacements, primary?.subnetId ?? null) : allPlacements;
  const disks = pathsFor({ input, policy, placements, leaveAz, ...paths });
  const typeBound = typeBoundOf({ input, policy });
  const circumstances = {
    input,
    policy,
    placements: withinZone(placements, { az: instance.az, choice: disks }),
    typeBound,
    disks,
  };
  const refusals = refusalsOf(circumstances);
  const image = imageOf(input);
  if (refusals.length > 0 || image === null) return { kind: 'blocked', problems: refusals };
  const carried = carriedPlanOf(circumstances, image);
  const firstImageId = firstImageOf(input);
  const { losses, ...named } = namedPlanOf(
    isNamedAt(input) ? (input.namedBy ?? NAMED_BY_NOTHING) : NAMED_BY_NOTHING,
    instance,
    carried,
  );
  return {
    kind: 'plan',
    problems: [...noticesOf(circumstances), ...trialProblems(input.trial)],
    plan: {
      strategy: 'snapshot-and-replace',
      policy,
      ...carried,
      ...named,
      launchBase: launchBaseOf(circumstances),
      ...(firstImageId !== null && { firstImageId }),
      losses: [...lossesOf(circumstances), ...losses],
    },
  };
}

const isNamedAt = ({ level = FEATURE_LEVEL }: PlanInput): boolean => level >= LEVEL_OF.names;

function baggageOf(input: PlanInput): Baggage {
  const image = imageOf(input);
  return {
    architecture: image?.architecture ?? null,
    virtualizationType: image?.virtualizationType ?? null,
    bootMode: image?.bootMode ?? null,
    enaSupport: image?.enaSupport ?? true,
    hasTpm: (image?.tpmSupport ?? null) !== null,
    volumeCount: input.instance.volumes.length,
    platform: textOf(input.instance.raw.PlatformDetails),
    tenancy: textOf(rawOf(input.instance.raw.Placement).Tenancy),
  };
}
