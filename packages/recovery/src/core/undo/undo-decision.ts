import type { ActivationRecord, CloudInstance, HistoryRecord, Leftover } from '@understudy/shared';
import { lateDetachesOf, lateDetachObstacle } from '../late-calls.ts';
import { primaryInterfaceOf } from '../fidelity/primary-interface.ts';
import type { Finding } from '../finding.ts';
import { roughly } from '../predict/duration.ts';
import { readStepId } from '../step-id.ts';
import { openLateStartOf } from './late-start.ts';

/** All that decides whether the last recovery of a member can be put back. Times: wall, ms. */
export interface UndoFacts {
  readonly activation: Pick<ActivationRecord, 'instanceId' | 'opId'>;
  /** The member's. */
  readonly history: readonly HistoryRecord[];
  /** The retired instance as EC2 shows it. Null: it does not. */
  readonly retained: CloudInstance | null;
  readonly nowWallMs: number;
  /** Writes of this long may be lost. Null: none may. */
  readonly acceptLossMs: number | null;
}

/** What an undo rests on. */
export interface Undoable {
  readonly undone: HistoryRecord;
  readonly retained: CloudInstance;
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  /** What the books say of the retired instance and its disks. */
  readonly leftovers: readonly Leftover[];
  readonly servedSinceWallMs: number;
  /** From then on it is refused. Null: the instance is kept for ever. */
  readonly untilWallMs: number | null;
}

export type UndoVerdict =
  | { readonly kind: 'possible'; readonly undo: Undoable }
  | { readonly kind: 'refused'; readonly problem: Finding; readonly undo: Undoable | null };

/**
 * A call that nobody has had an answer to lands within this time, or never: AWS takes no request
 * signed more than 5 minutes ago, by clocks at most 5 minutes off (A5).
 */
const LANDS_WITHIN_MS = 900_000;

/**
 * Moves whose calls have no token, and take something off the retired instance: one that lands
 * late would do so again. An Elastic IP is taken off by the id of its association.
 */
const WITHOUT_TOKEN: ReadonlySet<string> = new Set(['secondary', 'ipv6', 'prefix', 'interface', 'record', 'target']);

/** The recovery that put the present instance in charge. Null: none has, or it is forgotten. */
export const recoveryToUndo = ({ activation, history }: Pick<UndoFacts, 'activation' | 'history'>) =>
  history.find(
    (one) =>
      one.opId === activation.opId &&
      one.newInstanceId === activation.instanceId &&
      (one.outcome === 'replaced' || one.outcome === 'undone'),
  ) ?? null;

const refused = (code: string, text: string, undo: Undoable | null = null): UndoVerdict => ({
  kind: 'refused',
  problem: { code, text },
  undo,
});

const at = (wallMs: number): string => new Date(wallMs).toISOString();

/**
 * Can the last recovery be put back, now? The one place that says so, for the command, for what is
 * shown, and for the plan. **S** (S30) Not where the disks have moved or are about to be collected,
 * not while a call of that recovery may still land on the instance, and not at the price of writes
 * that nobody has given up.
 */
export function decideUndo(facts: UndoFacts): UndoVerdict {
  const undone = recoveryToUndo(facts);
  if (undone === null)
    return refused('NothingToUndo', `no recovery that put ${facts.activation.instanceId} in charge is remembered`);
  const found = undoableOf(undone, facts);
  if ('code' in found) return refused(found.code, found.text);
  const { servedSinceWallMs } = found;
  const { acceptLossMs, nowWallMs } = facts;
  const servedMs = Math.max(0, nowWallMs - servedSinceWallMs);
  if (acceptLossMs !== null && acceptLossMs >= servedMs) return { kind: 'possible', undo: found };
  const seconds = Math.ceil(servedMs / 1_000);
  return refused(
    'LossNotAccepted',
    `${facts.activation.instanceId} serves since ${at(servedSinceWallMs)} (${roughly(servedMs)}), and what it has written is not on the disks of ${undone.oldInstanceId}. To give that up: --accept-loss <duration>, with at least ${seconds}s`,
    found,
  );
}

function undoableOf(undone: HistoryRecord, facts: UndoFacts): Undoable | Finding {
  const { oldInstanceId, undo } = undone;
  const { retained, nowWallMs } = facts;
  if (undo === undefined)
    return finding(
      'NotNoted',
      `recovery ${undone.opId} was closed by a build that did not note what ${oldInstanceId} had`,
    );
  if (undo.ended)
    return finding(
      'PredecessorEnded',
      `${oldInstanceId} was terminated before its successor ran, so that its address was free (identity.primaryAddress is follow): there is nothing to go back to`,
    );
  if (undo.movedVolumeIds.length > 0) return finding('DisksMoved', movedText(undo.movedVolumeIds, oldInstanceId));
  const kept = undone.leftovers.find((one) => one.kind === 'instance' && one.id === oldInstanceId);
  if (!kept || isGone(retained)) return finding('NotRetained', `${oldInstanceId} is not there any more`);
  const untilWallMs = kept.afterWallMs === null ? null : kept.afterWallMs - LANDS_WITHIN_MS;
  if (untilWallMs !== null && nowWallMs >= untilWallMs)
    return finding(
      'AboutToBeCollected',
      `${oldInstanceId} is kept until ${at(kept.afterWallMs ?? 0)}, and for ${roughly(LANDS_WITHIN_MS)} before that nobody relies on it (recover.retainForMs)`,
    );
  return restingOf(undone, undo, facts) ?? undoable(undone, retained, untilWallMs);
}

type Noted = NonNullable<HistoryRecord['undo']>;

/** Why it cannot be started now, as far as that passes or can be put right. */
function restingOf(undone: HistoryRecord, noted: Noted, { retained, nowWallMs, history }: UndoFacts): Finding | null {
  const { oldInstanceId } = undone;
  if (retained === null) return finding('NotShown', `EC2 does not show ${oldInstanceId} now: ask again`);
  if (retained.state !== 'stopped')
    return finding(
      'NotStopped',
      `${oldInstanceId} is ${retained.state}: an undo begins with it stopped. Stop it first`,
    );
  const lacking = noted.volumeIds.filter((id) => !retained.volumes.some((one) => one.volumeId === id));
  if (lacking.length > 0)
    return finding('DiskMissing', `${lacking.join(', ')} of ${oldInstanceId} is not attached to it: attach it first`);
  // **S** (S27) No machine runs with a disk that a call of ours may take off.
  const late = lateDetachesOf(history, oldInstanceId);
  const detach = lateDetachObstacle(late, retained, { inPlace: true, nowWallMs });
  if (detach) return detach;
  const started = history.flatMap((one) => openLateStartOf(one) ?? []).find((one) => one.instanceId === oldInstanceId);
  if (started !== undefined)
    return finding(
      'LateCallsMayLand',
      `a start of ${oldInstanceId} by an undo that was called off may land until ${at(started.untilWallMs)}, and it is seen at rest after that: ask again then`,
    );
  const calmAtWallMs = calmFrom(undone, noted, history);
  if (nowWallMs >= calmAtWallMs) return null;
  return finding(
    'LateCallsMayLand',
    `calls about ${oldInstanceId} that were made before may still land until ${at(calmAtWallMs)}: ask again then`,
  );
}

const isWithoutToken = (name: string): boolean => WITHOUT_TOKEN.has(name);

/**
 * From when on no call of ours can land on the retired instance any more: of the recovery itself,
 * of whoever has put back since what that had moved, of an undo that was called off, which has
 * stopped the instance again, and of earlier recoveries of it.
 */
function calmFrom(undone: HistoryRecord, noted: Noted, history: readonly HistoryRecord[]): number {
  const { endedAtWallMs, writtenAtWallMs, steps, moved = [] } = undone;
  const isOpen = noted.stopMayLand === true || steps.some(({ step }) => isWithoutToken(readStepId(step).name));
  const wasPutBack = moved.some(({ move, flip }) => isWithoutToken(move) && (flip?.tries ?? 0) > 0);
  const calledOff = history.filter(
    ({ strategy, outcome, oldInstanceId }) =>
      strategy === 'undo' && outcome !== 'undone' && oldInstanceId === undone.newInstanceId,
  );
  const leftOpen = history.filter(
    (one) => (one.newInstanceId ?? one.oldInstanceId) === undone.oldInstanceId && (one.lateCalls ?? []).length > 0,
  );
  const lastCallsWallMs = [
    ...(isOpen ? [endedAtWallMs] : []),
    // Its record is written right before such a call, and when what came of it is seen.
    ...(wasPutBack ? [writtenAtWallMs] : []),
    ...calledOff.map((one) => one.endedAtWallMs),
    ...leftOpen.map((one) => one.endedAtWallMs),
    // **S** The leader stopped it again, and such a Stop may land once more.
    ...history.flatMap(({ lateStart }) =>
      lateStart?.instanceId === undone.oldInstanceId ? (lateStart.stoppedAtWallMs ?? []) : [],
    ),
  ];
  return lastCallsWallMs.length === 0 ? 0 : Math.max(...lastCallsWallMs) + LANDS_WITHIN_MS;
}

function undoable(
  undone: HistoryRecord,
  retained: CloudInstance | null,
  untilWallMs: number | null,
): Undoable | Finding {
  const primary = retained && primaryInterfaceOf(retained);
  if (retained === null || primary === null)
    return finding('InterfaceMissing', `EC2 shows no primary interface of ${undone.oldInstanceId}`);
  const disks = new Set([undone.oldInstanceId, ...(undone.undo?.volumeIds ?? [])]);
  const activated = undone.steps.find(({ step }) => step === 'activate');
  return {
    ...{ undone, retained, untilWallMs },
    networkInterfaceId: primary.networkInterfaceId,
    subnetId: primary.subnetId,
    leftovers: undone.leftovers.filter(({ kind, id }) => (kind === 'instance' || kind === 'volume') && disks.has(id)),
    servedSinceWallMs: activated?.startedAtWallMs ?? undone.startedAtWallMs,
  };
}

const finding = (code: string, text: string): Finding => ({ code, text });

const isGone = (instance: CloudInstance | null): boolean =>
  instance?.state === 'terminated' || instance?.state === 'shutting-down';

/** Why a recovery whose disks have moved is not undone, and what does instead. */
const movedText = (volumeIds: readonly string[], oldInstanceId: string): string =>
  `${volumeIds.join(', ')} of ${oldInstanceId} moved to its successor, so there is no older truth to go back to. A recovery by reattach moves the disks on to another machine (understudy recover MEMBER --strategy reattach)`;
