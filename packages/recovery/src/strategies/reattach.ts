import {
  type GroupPolicy,
  type HoldReason,
  isReattach,
  ladderOf,
  type ReattachPlan,
  type RecoveryPlan,
  LEVEL_OF,
} from '@understudy/shared';
import { moveRows } from './move-rows.ts';
import { afterVacating, vacateRows } from './vacate-rows.ts';
import { makePlan, type PlanResult } from '../core/plan.ts';
import type { PlanInput } from '../core/plan-input.ts';
import { seedImageOf } from '../core/seed-image.ts';
import { readStepId, stepId } from '../core/step-id.ts';
import { keysOf, type StepRow } from '../core/step-table.ts';
import { mayBeEnded } from '../steps/predecessor-end.ts';
import { ACTIVATE } from '../steps/activate-record.ts';
import { LAUNCH, PERMIT, REVOKE, VERIFY } from '../steps/attempt-records.ts';
import { DONE } from '../steps/done.ts';
import { FENCE } from '../steps/fence-record.ts';
import { ASSEMBLE, SEED } from '../steps/volume-records.ts';
import type { Artefact, LaunchSources, RecoveryState, Seams, Strategy } from '../strategy.ts';
import { seedDiskLeftover } from '../volumes/reattach.ts';
import { disksOf, pathNameOf, pathOf, pathsOf } from '../volumes/volume-paths.ts';

const idsOf = (rows: readonly StepRow[]): readonly string[] =>
  rows.flatMap((row) => keysOf(row, 0).map((key) => key.id));

/**
 * The order is the safety (S4, S7, S8, S27, S32): disks leave the old instance after the fence, and
 * get to the seed once it is stopped and they are free. Launching the seed meanwhile takes nothing
 * from anybody. Where the address follows, the old instance ends in between, once nothing is on it
 * that its successor gets.
 */
function steps(plan: RecoveryPlan, seams: Seams): readonly StepRow[] {
  const paths = pathsOf(plan, seams);
  const rowsOf = (makesVolumes: boolean) =>
    paths.filter((one) => (one.makesVolumes ?? false) === makesVolumes).flatMap((one) => one.steps(plan));
  const [atLaunch, later] = [rowsOf(false), rowsOf(true)];
  const moves = moveRows(plan, seams);
  return [
    { step: FENCE, needs: () => [] },
    ...later,
    ...atLaunch,
    ...vacateRows(plan, ['fence', ...idsOf(later), ...idsOf(atLaunch)]),
    { step: PERMIT, needs: () => ['fence', ...afterVacating(plan)] },
    { step: LAUNCH, needs: (n) => ['fence', ...idsOf(atLaunch), stepId('permit', n)] },
    { step: SEED, needs: (n) => [stepId('launch', n)] },
    { step: ASSEMBLE, needs: (n) => ['fence', ...idsOf(later), stepId('seed', n)] },
    { step: VERIFY, needs: (n) => [stepId('assemble', n)] },
    {
      step: REVOKE,
      needs: () => ['fence'],
      failedOf: (n) => ['permit', 'launch', 'seed', 'assemble', 'verify'].map((name) => stepId(name, n)),
    },
    { step: ACTIVATE, needs: (n) => [stepId('verify', n)] },
    ...moves,
    { step: DONE, needs: () => ['activate', ...idsOf(moves)] },
  ];
}

function launchSources(state: RecoveryState, seams: Seams): LaunchSources | null {
  if (!isReattach(state.plan)) return null;
  const sourced = disksOf(state, seams).map((volume) => {
    const source = pathOf(volume, seams)?.sourceOf(state, volume) ?? null;
    return source && { volume, source };
  });
  const disks = sourced.flatMap((one) => one ?? []);
  return disks.length === sourced.length ? { imageId: state.plan.seed.imageId, disks } : null;
}

/** Disks that came with the seeds of all attempts that the journal still has. */
function artefacts(state: RecoveryState, seams: Seams): readonly Artefact[] {
  const seeds = [...state.journal.states().keys()].map(readStepId).filter((key) => key.name === SEED.name);
  const own = seeds.flatMap(({ attempt }) => {
    const seed = state.journal.get(SEED, attempt)?.result;
    return seed && 'ownDisks' in seed ? seed.ownDisks : [];
  });
  return [
    ...own.map(({ volumeId }) => ({ kind: seedDiskLeftover.kind, id: volumeId })),
    ...pathsOf(state.plan, seams).flatMap((path) => path.artefacts(state)),
  ];
}

/** What is lost where disks are made anew, and not where they are the same. */
const NOT_LOST: ReadonlySet<string> = new Set(['FirstReadsSlow', 'KmsKeyUnnamed']);

/**
 * Where another way is left, a zone without room is not waited for as long as the policy waits for
 * the last one. None is left once the old instance has ended.
 */
function withPatience<P extends Pick<ReattachPlan, 'policy' | 'primaryAddress'>>(plan: P): P {
  const { policy } = plan;
  if (plan.primaryAddress || ladderOf(policy).at(-1) === 'reattach') return plan;
  const { recover } = policy;
  if (!recover.ladder) return plan;
  const retryRefusedForMs = Math.min(recover.retryRefusedForMs, recover.ladder.reattachTryForMs);
  return { ...plan, policy: { ...policy, recover: { ...recover, retryRefusedForMs } } };
}

function plan(input: PlanInput, policy: GroupPolicy, leaveAz: string | null, seams: Seams): PlanResult<ReattachPlan> {
  const offered = seams.volumePaths.filter((one) => one.makesVolumes === true).map((one) => one.name);
  const result = makePlan(input, policy, leaveAz, { offered, staysInZone: true });
  const seed = seedImageOf(input, policy);
  const problems = [...(result.kind === 'blocked' ? result.problems : []), ...('code' in seed ? [seed] : [])];
  if (result.kind === 'blocked' || 'code' in seed || problems.length > 0) return { kind: 'blocked', problems };
  const { image: _, ...launching } = withPatience(result.plan);
  const byPath = launching.volumes.flatMap((volume) => pathOf(volume, seams)?.predictedLoss(volume) ?? []);
  const losses = [...launching.losses.filter(({ code }) => !NOT_LOST.has(code)), ...byPath];
  return { ...result, plan: { ...launching, strategy: 'reattach', seed, losses } };
}

/** Fence, take the disks off (or copy them in their zone), and put them on a new machine. */
export const reattach: Strategy = {
  name: 'reattach',
  level: LEVEL_OF.volumePaths,
  plan,
  fault: (stored, seams) => {
    if (!isReattach(stored)) return 'it is not complete';
    const lost = stored.volumes.find((volume) => pathOf(volume, seams) === null);
    if (lost) return `${lost.volumeId} takes the path ${pathNameOf(lost)}, which this build does not know`;
    const root = stored.volumes.find((volume) => volume.isRoot);
    const isVolume = root !== undefined && pathOf(root, seams)?.makesVolumes === true;
    return isVolume ? null : 'its root is no volume that a seed could be given';
  },
  steps,
  launchSources,
  artefacts,
  // **S** (S32) What may have ended gets nothing back, and the next way would find nothing.
  givesUpOn: ({ plan: { ladder = [] }, journal }, reason) =>
    ladder.some((one) => one.said === 'later') &&
    !mayBeEnded({ journal }) &&
    (GIVEN_UP_ON.has(reason) || journal.get(FENCE)?.result?.how === 'lease'),
};

/** Nothing could be launched in the zone of the disks, or what was launched did not serve. */
const GIVEN_UP_ON: ReadonlySet<HoldReason> = new Set(['LaunchAttemptsExhausted', 'NoPlacementLeft']);
