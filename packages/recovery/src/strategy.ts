import type { GroupPolicy, HoldReason, IntentRecord, PlannedVolume, RecoveryPlan } from '@understudy/shared';
import type { PlanInput } from './core/plan-input.ts';
import type { Finding } from './core/finding.ts';
import type { PlanResult } from './core/plan.ts';
import type { StepRow } from './core/step-table.ts';
import type { MoveWatch } from './identity/move-watch.ts';
import type { Journal } from './journal.ts';
import type { LeftoverKind } from './leftover-kind.ts';
import type { StepRecord } from './step-record.ts';

/** What a strategy and its seams know of a recovery: what was decided, and how far it is. */
export interface RecoveryState {
  readonly record: Pick<IntentRecord, 'opId'>;
  readonly plan: RecoveryPlan;
  readonly journal: Pick<Journal, 'get' | 'states'>;
}

/** Where a disk of the replacement comes from. */
export type DiskSource =
  | { readonly kind: 'snapshot'; readonly snapshotId: string }
  /** The image that is launched brings it: the root disk only. */
  | { readonly kind: 'image' }
  /**
   * It is there already, and is attached while the replacement is stopped (the plan has a seed).
   * The root is one, too, where any disk is. null: its path has not made it yet.
   */
  | { readonly kind: 'volume'; readonly volumeId: string | null };

/** What a launch is made of. */
export interface LaunchSources {
  readonly imageId: string;
  /** Every disk that the replacement gets, the root among them. */
  readonly disks: readonly { readonly volume: PlannedVolume; readonly source: DiskSource }[];
}

/** A resource that a recovery has made; `kind` is one of a registered leftover. */
export interface Artefact {
  readonly kind: string;
  readonly id: string;
}

/** What recoveries are put together from. Each comes with the builds of one feature level (S24). */
export interface Part {
  /**
   * The lowest feature level that knows it. It is planned only while that is in force. Absent: 1.
   */
  readonly level?: number;
}

/** How the content of one disk gets to the replacement. Chosen per volume, with the plan. */
export interface VolumePath extends Part {
  /** Stands in the plan, with the volume. */
  readonly name: string;
  /** The first registered path that takes a volume has it. */
  takes(volume: PlannedVolume, policy: GroupPolicy): boolean;
  /**
   * Its steps, done once for all volumes of the plan that take it. The launch waits for all of
   * them; of a path that makes volumes, what attaches these does.
   */
  steps(plan: RecoveryPlan): readonly StepRow[];
  /** Its disks are volumes, which a seed gets while it is stopped. Absent: they are not. */
  readonly makesVolumes?: true;
  /** Volumes beside the plan's that it has found, and that the replacement gets too. */
  beside?(state: RecoveryState): readonly PlannedVolume[];
  /** null: its steps have not made it (yet). */
  sourceOf(state: RecoveryState, volume: PlannedVolume): DiskSource | null;
  /** What of the content will be missing; null: nothing. */
  predictedLoss(volume: PlannedVolume): Finding | null;
  /** What it has made, as far as the journal knows, also while its steps are under way. */
  artefacts(state: RecoveryState): readonly Artefact[];
}

/** Part of a member's identity that moves to the replacement, as its step knows it. */
export interface ItemSource extends Part {
  /** The step that moves one item writes it; its name is the kind of the move. */
  readonly record: StepRecord;
  /** What is to be moved by this plan; each is a step of its own. */
  itemsOf(plan: RecoveryPlan): readonly string[];
  /** Ids of steps that must be done before this item moves. Absent: the activation alone. */
  needs?(plan: RecoveryPlan, item: string): readonly string[];
  /** How its items are watched after the recovery. Absent: they are not. */
  readonly watch?: MoveWatch;
}

/** What a strategy is put together from, beside its own steps. */
export interface Seams {
  readonly volumePaths: readonly VolumePath[];
  readonly identityMoves: readonly ItemSource[];
  readonly leftovers: readonly LeftoverKind[];
}

/** How a failed member is brought back. Chosen per recovery, by the policy of its group. */
export interface Strategy extends Part {
  /** Stands in policy and plan. */
  readonly name: string;
  /** Decides once what will be done. Pure: same input, same plan. */
  plan(input: PlanInput, policy: GroupPolicy, leaveAz: string | null, seams: Seams): PlanResult<RecoveryPlan>;
  /** Why a stored plan of this name cannot be driven, in words; null: it can. */
  fault(plan: RecoveryPlan, seams: Seams): string | null;
  /** Its steps, and when each may run: the order is the safety. The last one closes it. */
  steps(plan: RecoveryPlan, seams: Seams): readonly StepRow[];
  /** What is launched; null: its steps have not made it (yet), or it launches nothing. */
  launchSources(state: RecoveryState, seams: Seams): LaunchSources | null;
  /** What its steps and paths have made and nobody needs once it is over; instances left out. */
  artefacts(state: RecoveryState, seams: Seams): readonly Artefact[];
  /**
   * Is it given up on this hold, where another way is left (S28)? It is then put back and closed as
   * not mended. Absent: it is held.
   */
  givesUpOn?(state: RecoveryState, reason: HoldReason): boolean;
  /** A fresh plan in place of the one that is followed; absent: its plans cannot be made again. */
  replanned?(state: RecoveryState, fresh: RecoveryPlan): RecoveryPlan;
}
