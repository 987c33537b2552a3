import { artefactsOf } from '../artefacts-of.ts';
import {
  ActivationRecordSchema,
  type GuardedPut,
  type HistoryRecord,
  parseRecord,
  type Unwritten,
} from '@understudy/shared';
import { abandonedHistoryOf } from '../core/abandoned.ts';
import { currentAttempt } from '../core/step-table.ts';
import { nextOrdinal } from '../in-place.ts';
import { IntentGone, type JournalEntry } from '../journal.ts';
import type { StoredRequest } from '../request.ts';
import type { Run } from '../run.ts';
import { type DriveStep, endOpenAttempt } from './end-attempt.ts';
import { actOf, type CarriedOut, journalCompares, refuse, requestGone } from './outcome.ts';
import { LAUNCH, PERMIT } from '../steps/attempt-records.ts';
import { leftAsTexts } from '../leftover-kind.ts';
import { FENCE } from '../steps/fence-record.ts';
import { givebackRequest } from '../steps/giveback.ts';
import { disksOutlive, hasEnded, mayBeEnded } from '../steps/predecessor-end.ts';
import { VACATE } from '../steps/vacate-record.ts';
import { openCalls } from '../steps/open-calls.ts';
import { GIVEBACK } from '../steps/giveback-record.ts';
import { stepKey } from '../core/step-id.ts';
import { BRINGBACK, STANDDOWN } from '../steps/undo-records.ts';
import { closedBooks } from '../undo-books.ts';

/**
 * **S** Ends a recovery without a replacement: only while nothing is activated. The transaction
 * that closes it raises the ordinal in the activation, so that no activation of this recovery can
 * ever succeed, and the next recovery of the same instance has names and tokens of its own.
 */
export async function abandon(
  run: Run,
  request: StoredRequest,
  { drive }: { readonly drive: DriveStep },
): Promise<CarriedOut> {
  const { kv, keys, log } = run.parts;
  const { member, opId, activationModRevision } = run.record;
  if (run.journal.states().get('activate') === 'done')
    return refuse(
      run,
      request,
      'its replacement is in charge: there is nothing to abandon. A chore that is stuck can be given up: accept-loss',
    );
  const { by, why, leaveOpen } = request.record;
  // **S** (S32) What may end at any moment is not given back as if it could serve again.
  if (!leaveOpen) await endOrLeave(run, drive);
  if (!leaveOpen) await endOpenAttempt(run, drive, `abandoned by ${by}: ${why}`);
  const disks = givebackRequest(run, { ends: 'abandoned', why });
  if (!leaveOpen && disks.disks.length > 0) await giveDisksBack(run, drive, disks);
  if (!leaveOpen && run.journal.get(BRINGBACK) !== null) await drive(run, stepKey(STANDDOWN.name));
  const entry = await kv.get(keys.activation(member));
  if (entry?.modRevision !== activationModRevision)
    return refuse(run, request, 'the activation has changed since this recovery began: a person has to look at it');
  const activation = nextOrdinal(parseRecord(ActivationRecordSchema, entry.key, entry.value));
  const puts: readonly [GuardedPut, ...GuardedPut[]] = [
    { key: keys.historyEntry(member, opId), expect: 0, record: historyRecordOf(run, request) },
    { key: keys.activation(member), expect: activationModRevision, record: activation },
    ...(await closedBooks(run, 'as-before')),
  ];
  const outcome = await run.term.commit({
    puts,
    deletes: [{ key: keys.intent(member), expect: run.intent.modRevision }, ...(await requestGone(run, request))],
    deletePrefixes: [keys.journalOf(opId)],
    also: journalCompares(run, ['activate']),
  });
  if (outcome.kind === 'conflict') {
    if ((outcome.entries[puts.length]?.modRevision ?? 0) !== run.intent.modRevision)
      throw new IntentGone('closed by somebody else');
    return { kind: 'again' };
  }
  log.info('recovery.abandoned', { by, why });
  return { kind: 'closed' };
}

/**
 * Written down with the reason first. One that was begun for the next way becomes one for this end:
 * a person has said that no way is to be taken, and may not wait for a disk that cannot come back.
 */
async function giveDisksBack(run: Run, drive: DriveStep, request: ReturnType<typeof givebackRequest>): Promise<void> {
  for (;;) {
    run.signal.throwIfAborted();
    const begun = run.journal.get(GIVEBACK);
    if (begun?.state === 'done') return;
    if (begun?.request?.ends === 'abandoned') break;
    const { disks, instanceId } = begun?.request ?? request;
    const written = { state: 'started', request: { ...request, instanceId, disks } } as const;
    await run.journal.write<typeof GIVEBACK>(GIVEBACK.name, written);
  }
  await drive(run, stepKey(GIVEBACK.name));
}

/** Where the disks are that the recovery has moved, in words. */
function diskTexts(run: Run): readonly string[] {
  const back = run.journal.get(GIVEBACK)?.result;
  if (back) return back.leftAs;
  return givebackRequest(run, { ends: 'abandoned', why: '' }).disks.map(
    ({ volumeId, deviceName }) =>
      `${volumeId} (${deviceName}) was being taken off ${run.record.oldInstanceId}: it may be attached to nothing, or to the replacement`,
  );
}

function isUnprotected(fence: JournalEntry<typeof FENCE> | null, wasProtected: boolean): boolean {
  if (fence === null) return false;
  const how = fence.result?.how;
  if (how === undefined) return (fence.sends.unprotect ?? 0) > 0;
  return how !== 'terminated' && wasProtected;
}

/**
 * **S** (S32) What may end at any moment is seen ended; what was never asked to is left as it was,
 * without the marks of a retired one. Written down first, so that no leader ends it any more.
 */
async function endOrLeave(run: Run, drive: DriveStep): Promise<void> {
  for (;;) {
    run.signal.throwIfAborted();
    const vacate = run.journal.get(VACATE);
    if (!vacate?.request || vacate.state === 'done') return;
    if (vacate.request.calledOff) break;
    const request = { ...vacate.request, calledOff: true } as const;
    await run.journal.write<typeof VACATE>(VACATE.name, { state: 'started', request });
  }
  await drive(run, stepKey(VACATE.name));
}

/** What became of it, where its address was to follow. Null: nothing was begun. */
function predecessorOf(run: Run): 'kept' | 'ended' | 'may-end' | null {
  if (!disksOutlive(run)) return null;
  if (hasEnded(run)) return 'ended';
  return mayBeEnded(run) ? 'may-end' : 'kept';
}

function historyRecordOf(run: Run, request: StoredRequest): Unwritten<HistoryRecord> {
  const { journal } = run;
  const attempt = currentAttempt(journal.states());
  const artefacts = artefactsOf(run);
  const fence = journal.get(FENCE);
  const permit = journal.get(PERMIT, attempt);
  const launch = journal.get(LAUNCH, attempt);
  const permitId = permit?.result && 'networkInterfaceId' in permit.result ? permit.result.networkInterfaceId : null;
  const replacementId = launch?.result && 'instanceId' in launch.result ? launch.result.instanceId : null;
  return abandonedHistoryOf({
    intent: run.record,
    records: journal.records(),
    term: run.term.number,
    endedAtWallMs: run.wallMs(),
    act: actOf(run, request, 'abandoned'),
    fencedBy: fence?.result?.how ?? null,
    // A record that is done keeps no counts. What is terminated has no protection to be put back;
    // before every other end, a protection that was planned for was taken off.
    stopSent: (fence?.sends.stop ?? 0) > 0,
    lateCalls: openCalls(run),
    predecessor: predecessorOf(run),
    unprotected: isUnprotected(fence, run.plan.protection.stop),
    launchAttempts: permit === null ? attempt - 1 : attempt,
    artefacts,
    artefactTexts: [
      ...(mayBeEnded(run)
        ? artefacts.map(({ kind, id }) => `${kind} ${id}, kept until a person removes it`)
        : leftAsTexts(artefacts, run.seams.leftovers)),
      ...diskTexts(run),
    ],
    permitId,
    replacementId,
  });
}
