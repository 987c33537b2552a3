import { movesItself } from './moved-volumes.ts';
import {
  type HistoryRecord,
  type IntentRecord,
  isUndo,
  type JournalRecord,
  type Leftover,
  type MovedItem,
  type OwedChore,
  type PlannedVolume,
  type Unwritten,
} from '@understudy/shared';
import { isPaidAsInstance } from './paid-leftover.ts';
import { readStepId } from './step-id.ts';

import { isRateRefusal } from './paths/initialization-rate.ts';
import { olderContentText } from './paths/path-text.ts';

/** All that is known when a recovery is closed. */
export interface ClosingFacts {
  readonly intent: IntentRecord;
  readonly records: readonly JournalRecord[];
  readonly term: number;
  readonly endedAtWallMs: number;
  readonly newInstanceId: string;
  readonly newIncarnation: number;
  readonly fencedBy: NonNullable<HistoryRecord['fencedBy']>;
  readonly launchAttempts: number;
  /** What it has made and nobody needs any more, in the order in which it is written down. */
  readonly artefacts: readonly Pick<Leftover, 'kind' | 'id'>[];
  /** The volumes of the plan, and those that were captured beside them. */
  readonly volumes: readonly PlannedVolume[];
  /** What was moved, and where it was put. */
  readonly moved: readonly MovedItem[];
  /** Calls about the replacement that may still land. */
  readonly lateCalls: NonNullable<HistoryRecord['lateCalls']>;
  /** What it was to take, by published figures, ms. Absent: it was not predicted. */
  readonly predictedMs?: number;
  /** A Stop of the old instance was sent whose outcome is not known. */
  readonly stopIsOpen: boolean;
  /** It was terminated before its successor ran, or may be by a call of this recovery. */
  readonly predecessorEnded: boolean;
  /** All its volumes outlive it, whatever they did before. */
  readonly disksOutlive: boolean;
  /** Chores that were not done. */
  readonly owed: readonly OwedChore[];
  /** True when the replacement's heartbeats were passing as it was closed. */
  readonly heardAtTheEnd: boolean;
  /** Its services that did not pass then, in words. Null: all did, or none is probed. */
  readonly serviceFaultAtTheEnd: string | null;
}

/** What stays of a recovery, and what the collector has to remove when its time has come. */
export function historyOf(facts: ClosingFacts): Unwritten<HistoryRecord> {
  const { intent, endedAtWallMs } = facts;
  const terms = new Set([intent.term, facts.term, ...facts.records.map((record) => record.term)]);
  return {
    opId: intent.opId,
    member: intent.member,
    outcome: isUndo(intent.plan) ? 'undone' : 'replaced',
    ...wayOf(intent),
    ...(facts.predictedMs === undefined ? {} : { predictedMs: facts.predictedMs }),
    reason: reasonOf(facts),
    oldInstanceId: intent.oldInstanceId,
    ordinal: intent.ordinal,
    oldAz: intent.oldAz,
    oldLaunchedAtWallMs: intent.plan.oldLaunchedAtWallMs,
    newInstanceId: facts.newInstanceId,
    newIncarnation: facts.newIncarnation,
    startedAtWallMs: intent.startedAtWallMs,
    endedAtWallMs,
    lastHeardWallMs: intent.lastHeardWallMs,
    leaderChanges: terms.size - 1,
    fencedBy: facts.fencedBy,
    undo: undoFactsOf(facts),
    launchAttempts: facts.launchAttempts,
    steps: stepsOf(facts),
    ...whatHappened(facts),
    ...(facts.lateCalls.length > 0 && { lateCalls: facts.lateCalls }),
    ...(facts.moved.length > 0 && { moved: [...facts.moved] }),
    volumePaths: facts.volumes.map(({ volumeId, path }) => ({ volumeId, path: path ?? 'snapshot' })),
    leftovers: leftoversOf(facts),
    owed: [...facts.owed],
  };
}

/** What has to be known of the retired instance when this is to be put back. */
const undoFactsOf = ({ volumes, stopIsOpen, predecessorEnded }: ClosingFacts): NonNullable<HistoryRecord['undo']> => ({
  volumeIds: volumes.map((one) => one.volumeId),
  movedVolumeIds: volumes.filter(movesItself).map((one) => one.volumeId),
  ...(stopIsOpen && { stopMayLand: true }),
  ...(predecessorEnded && { ended: true }),
});

/** Which way it was, and why. `snapshot-and-replace` is not named: it was the only one once. */
export const wayOf = ({ plan }: Pick<IntentRecord, 'plan'>): Pick<HistoryRecord, 'strategy' | 'ladder'> => ({
  ...(plan.ladder && { ladder: plan.ladder }),
  ...(plan.strategy === 'snapshot-and-replace' ? {} : { strategy: plan.strategy }),
});

const lostCode = (step: string): string => (readStepId(step).name === 'address' ? 'AddressReleased' : 'IdentityLost');

/** What the member lost on the way, what operators did, and what was made beforehand. */
export function whatHappened({
  intent,
  records,
}: Pick<ClosingFacts, 'intent' | 'records'>): Pick<HistoryRecord, 'losses' | 'acts' | 'prepared'> {
  const accepted = (intent.acceptedLosses ?? []).map((what) => ({ code: 'AcceptedLoss', text: `given up: ${what}` }));
  const lost = records.flatMap(({ step, result }) =>
    typeof result?.lost === 'string' ? [{ code: lostCode(step), text: result.lost }] : [],
  );
  const older = intent.plan.volumes
    .filter((volume) => volume.from !== undefined)
    .map((volume) => ({ code: 'WritesSinceSnapshotLost', text: olderContentText(volume) }));
  const slow = records.some(({ request }) => typeof request?.text === 'string' && isRateRefusal(request.text))
    ? [
        {
          code: 'InitializationRateRefused',
          text: 'EC2 refused recover.volumes.initializationRateMiBps: disks are filled at its own pace',
        },
      ]
    : [];
  const losses = [...accepted, ...lost, ...older, ...slow];
  const { acts, prepared } = intent;
  return { ...(losses.length > 0 && { losses }), ...(acts && { acts }), ...(prepared && { prepared }) };
}

const leftover = (kind: Leftover['kind'], id: string, afterWallMs: number | null): Leftover => ({
  kind,
  id,
  afterWallMs,
  obstacle: null,
});

/**
 * Data volumes that EC2 keeps when the old instance is terminated are kept for ever, unless the
 * policy names a time. **S** (S32) Those that only outlive it because it ended early are kept for
 * as long as the instance would have been.
 */
function leftoversOf({ intent, endedAtWallMs, artefacts, volumes, disksOutlive }: ClosingFacts): Leftover[] {
  const {
    recover: { retainForMs, retainCaptureForMs, retainVolumesForMs },
  } = intent.plan.policy;
  const captureAfterWallMs = endedAtWallMs + retainCaptureForMs;
  const volumesAfterWallMs = retainVolumesForMs === null ? null : endedAtWallMs + retainVolumesForMs;
  const staying = volumes.filter((volume) => !movesItself(volume));
  const outliving = staying.filter((volume) => !volume.deleteOnTermination);
  // EC2 would have deleted them with the instance, when its time had come.
  const detained = disksOutlive ? staying.filter((volume) => volume.deleteOnTermination) : [];
  return [
    leftover('instance', intent.oldInstanceId, endedAtWallMs + retainForMs),
    ...artefacts.map(({ kind, id }) => leftover(kind, id, isPaidAsInstance(kind) ? endedAtWallMs : captureAfterWallMs)),
    ...outliving.map(({ volumeId }) => leftover('volume', volumeId, volumesAfterWallMs)),
    ...detained.map(({ volumeId }) => leftover('volume', volumeId, endedAtWallMs + retainForMs)),
  ];
}

function reasonOf({ intent, heardAtTheEnd, serviceFaultAtTheEnd }: ClosingFacts): string {
  const silent = heardAtTheEnd ? '' : '; the replacement was silent when this was closed';
  const failing =
    serviceFaultAtTheEnd === null ? '' : `; its services did not pass when this was closed (${serviceFaultAtTheEnd})`;
  return `${intent.reason}${silent}${failing}`;
}

/**
 * The steps in order of their beginning. `done` ends with the transaction that writes this record.
 */
export const stepsOf = (facts: Pick<ClosingFacts, 'records' | 'endedAtWallMs'>): HistoryRecord['steps'] =>
  [...facts.records]
    .sort((a, b) => a.startedAtWallMs - b.startedAtWallMs)
    .map(({ step, state, startedAtWallMs, endedAtWallMs }) =>
      step === 'done'
        ? { step, state: 'done' as const, startedAtWallMs, endedAtWallMs: facts.endedAtWallMs }
        : { step, state, startedAtWallMs, endedAtWallMs },
    );
