import { isSnapshotAndReplace, type PlannedVolume, type RecoveryPlan } from '@understudy/shared';
import { makePlan } from '../core/plan.ts';
import { replanned } from '../core/replanned.ts';
import { stepId } from '../core/step-id.ts';
import { keysOf, type StepRow } from '../core/step-table.ts';
import { moveRows } from './move-rows.ts';
import { afterVacating, vacateRows } from './vacate-rows.ts';
import { ACTIVATE } from '../steps/activate-record.ts';
import { LAUNCH, PERMIT, REVOKE, VERIFY } from '../steps/attempt-records.ts';
import { CAPTURE, IMAGE } from '../steps/capture-records.ts';
import { DONE } from '../steps/done.ts';
import { FENCE } from '../steps/fence-record.ts';
import { imageLeftover } from '../steps/image.ts';
import type { LaunchSources, RecoveryState, Seams, Strategy } from '../strategy.ts';
import { disksOf, pathNameOf, pathOf, pathsOf } from '../volumes/volume-paths.ts';

const idsOf = (rows: readonly StepRow[]): readonly string[] =>
  rows.flatMap((row) => keysOf(row, 0).map((key) => key.id));

/** The order is the safety (S4, S7, S8, S32). */
function steps(plan: RecoveryPlan, seams: Seams): readonly StepRow[] {
  const paths = pathsOf(plan, seams).flatMap((path) => path.steps(plan));
  const disks = idsOf(paths);
  const moves = moveRows(plan, seams);
  return [
    { step: FENCE, needs: () => [] },
    ...paths,
    { step: IMAGE, needs: () => ['fence', ...disks] },
    ...vacateRows(plan, ['fence', ...disks, 'image']),
    { step: PERMIT, needs: () => ['fence', ...afterVacating(plan)] },
    { step: LAUNCH, needs: (n) => ['fence', ...disks, 'image', stepId('permit', n)] },
    { step: VERIFY, needs: (n) => [stepId('launch', n)] },
    {
      step: REVOKE,
      needs: () => ['fence'],
      failedOf: (n) => ['permit', 'launch', 'verify'].map((name) => stepId(name, n)),
    },
    { step: ACTIVATE, needs: (n) => [stepId('verify', n)] },
    ...moves,
    { step: DONE, needs: () => ['activate', ...idsOf(moves)] },
  ];
}

/** A volume beside the plan's has the path that has found it. */
function launchSources(state: RecoveryState, seams: Seams): LaunchSources | null {
  const image = state.journal.get(IMAGE)?.result;
  if (!image) return null;
  const sourced = disksOf(state, seams).map((volume) => {
    const source = pathOf(volume, seams)?.sourceOf(state, volume) ?? null;
    return source && { volume, source };
  });
  const disks = sourced.flatMap((one) => one ?? []);
  return disks.length === sourced.length ? { imageId: image.imageId, disks } : null;
}

/** Fence, snapshot every disk, launch a replacement from the snapshots, move the identity to it. */
export const snapshotAndReplace: Strategy = {
  name: 'snapshot-and-replace',
  plan: (input, policy, leaveAz, seams) => {
    const result = makePlan(input, policy, leaveAz, {
      offered: seams.volumePaths.filter((one) => one.makesVolumes !== true).map((one) => one.name),
    });
    if (result.kind === 'blocked') return result;
    const { plan } = result;
    const routed = plan.volumes.map((volume) => {
      const path = seams.volumePaths.find((one) => one.takes(volume, policy));
      return { volume: path ? onPath(volume, path.name) : volume, loss: path?.predictedLoss(volume) ?? null };
    });
    const losses = [...plan.losses, ...routed.flatMap((one) => one.loss ?? [])];
    return { ...result, plan: { ...plan, volumes: routed.map((one) => one.volume), losses } };
  },
  fault: (plan, seams) => {
    if (!isSnapshotAndReplace(plan)) return 'it is not complete';
    const lost = plan.volumes.find((volume) => pathOf(volume, seams) === null);
    return lost ? `${lost.volumeId} takes the path ${pathNameOf(lost)}, which this build does not know` : null;
  },
  steps,
  launchSources,
  artefacts: (state, seams) => {
    const image = state.journal.get(IMAGE)?.result;
    return [
      ...(image ? [{ kind: imageLeftover.kind, id: image.imageId }] : []),
      ...pathsOf(state.plan, seams).flatMap((path) => path.artefacts(state)),
    ];
  },
  replanned: ({ plan, journal }, fresh) => {
    if (!isSnapshotAndReplace(plan) || !isSnapshotAndReplace(fresh)) return fresh;
    const capture = journal.get(CAPTURE);
    const captured = capture?.state === 'done' || (capture?.noted?.set ?? null) !== null;
    return replanned(plan, fresh, { captured, imaged: journal.states().has('image') });
  },
};

/** What every volume took before there was a choice is not written down. */
const onPath = (volume: PlannedVolume, path: string): PlannedVolume =>
  path === pathNameOf({}) ? volume : { ...volume, path };
