import {
  type HoldReason,
  HoldRecordSchema,
  type Keyspace,
  type KvStore,
  type MemberId,
  parseRecord,
} from '@understudy/shared';
import type { OpenIntent, Term } from '../contracts.ts';

/** A decided refusal to go on, thrown inside a run; the engine turns it into a hold record. */
export class HoldDecided extends Error {
  override readonly name = 'HoldDecided';
  readonly reason: HoldReason;

  constructor(reason: HoldReason, text: string, options: { cause?: unknown } = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
  }
}

export interface HoldPlace {
  readonly kv: KvStore;
  readonly keys: Keyspace;
  readonly member: MemberId;
}

/** The hold on a member as it is in the store; `own`: written for this recovery. An unreadable one counts as somebody else's. */
export async function readHold(
  place: HoldPlace,
  opId: string,
): Promise<{ readonly modRevision: number; readonly own: boolean; readonly text: string; readonly reason: string }> {
  const entry = await place.kv.get(place.keys.hold(place.member));
  if (!entry) return { modRevision: 0, own: false, text: '', reason: '' };
  try {
    const hold = parseRecord(HoldRecordSchema, entry.key, entry.value);
    return { modRevision: entry.modRevision, own: hold.opId === opId, text: hold.text, reason: hold.reason };
  } catch {
    return { modRevision: entry.modRevision, own: false, text: '', reason: '' };
  }
}

const WRITE_TRIES = 3;

/**
 * Makes the refusal visible (guarded, only while the intent is still open). The same hold is not written twice, so `since` stays true.
 * `yields`: somebody else's hold on the member says more than ours, and stays.
 * @throws LEASE_LOST, STORE_UNAVAILABLE, STORE_OUTCOME_UNKNOWN
 */
export async function writeHold(
  place: HoldPlace,
  intent: OpenIntent,
  term: Term,
  hold: HoldDecided,
  wallMs: number,
  yields = false,
): Promise<void> {
  const { opId } = intent.record;
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    const known = await readHold(place, opId);
    if (yields && !known.own && known.modRevision !== 0) return;
    if (known.own && known.reason === hold.reason && known.text === hold.message) return;
    const outcome = await term.commit({
      puts: [
        {
          key: place.keys.hold(place.member),
          expect: known.modRevision,
          record: {
            member: place.member,
            reason: hold.reason,
            text: hold.message,
            sinceWallMs: wallMs,
            untilWallMs: null,
            opId,
          },
        },
      ],
      also: [{ key: place.keys.intent(place.member), modRevision: intent.modRevision }],
    });
    if (outcome.kind === 'committed') return;
  }
}
