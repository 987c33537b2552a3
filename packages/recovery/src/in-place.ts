import { artefactsOf } from './artefacts-of.ts';
import {
  type ActivationRecord,
  ActivationRecordSchema,
  type GuardedWrite,
  type Keyspace,
  parseRecord,
  type Unwritten,
  unwritten,
} from '@understudy/shared';
import { type InPlaceFacts, inPlaceHistoryOf } from './core/in-place.ts';
import { currentAttempt } from './core/step-table.ts';
import { HoldDecided } from './hold.ts';
import { IntentGone } from './journal.ts';
import { ownRecordsOf } from './request.ts';
import type { Run } from './run.ts';
import { PERMIT } from './steps/attempt-records.ts';
import { fencedBy } from './steps/fenced-by.ts';
import { closedBooks } from './undo-books.ts';

/** How a recovery ends that leaves the member with the instance it had. */
export type InPlaceEnd = Pick<InPlaceFacts, 'outcome' | 'why'> &
  Partial<Pick<InPlaceFacts, 'losses' | 'leftAs' | 'lateCalls' | 'lastLaunchedAtWallMs'>>;

/**
 * **S** (S8, S20) The transaction that closes a recovery without a replacement: history in; intent,
 * journal, hold and request out; and the ordinal in the activation raised, so that no activation of
 * this recovery can ever succeed, and the next one of the same instance has names and tokens of its
 * own. Only while nothing was activated by it, and with no launch attempt open.
 *
 * For the move `close` of the last step. It may be asked for again after a conflict: it is made
 * anew from what is there then.
 * @throws IntentGone, HoldDecided (the activation is another one since), STORE_UNAVAILABLE
 */
export async function closeInPlace(run: Run, end: InPlaceEnd): Promise<GuardedWrite> {
  const { kv, keys } = run.parts;
  const { member, opId, activationModRevision } = run.record;
  const intentKey = keys.intent(member);
  const [intent, entry] = await Promise.all([kv.get(intentKey), kv.get(keys.activation(member))]);
  if (intent?.modRevision !== run.intent.modRevision) throw new IntentGone('closed by somebody else');
  if (entry?.modRevision !== activationModRevision)
    throw new HoldDecided('ClaimAgainstActivation', 'the activation has changed since this recovery began');
  const activation = parseRecord(ActivationRecordSchema, entry.key, entry.value);
  return {
    puts: [
      { key: keys.historyEntry(member, opId), expect: 0, record: inPlaceHistoryOf(factsOf(run, end)) },
      raised(keys, activation, activationModRevision),
      ...(await closedBooks(run, 'as-before')),
    ],
    deletes: [{ key: intentKey, expect: run.intent.modRevision }, ...(await ownRecordsOf({ kv, keys, member }, opId))],
    deletePrefixes: [keys.journalOf(opId)],
  };
}

/** The next recovery of the same instance has another name, and other tokens. */
export const nextOrdinal = (record: ActivationRecord): Unwritten<ActivationRecord> => ({
  ...unwritten(record),
  ordinal: record.ordinal + 1,
});

const raised = (keys: Keyspace, record: ActivationRecord, expect: number) => ({
  key: keys.activation(record.member),
  expect,
  record: nextOrdinal(record),
});

function factsOf(run: Run, { losses = [], leftAs = [], lateCalls = [], ...end }: InPlaceEnd): InPlaceFacts {
  const attempt = currentAttempt(run.journal.states());
  return {
    ...{ intent: run.record, records: run.journal.records(), term: run.term.number, endedAtWallMs: run.wallMs() },
    ...{ ...end, losses, leftAs, lateCalls, fencedBy: fencedBy(run) },
    launchAttempts: run.journal.get(PERMIT, attempt) === null ? attempt - 1 : attempt,
    artefacts: artefactsOf(run),
  };
}
