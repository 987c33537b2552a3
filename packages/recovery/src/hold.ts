import {
  carriedFields,
  type HoldReason,
  HoldRecordSchema,
  type Keyspace,
  type KvReads,
  type MemberId,
  parseRecord,
  type Term,
} from '@understudy/shared';
import type { OpenIntent } from './runner.ts';

/** A decided refusal to go on, thrown inside a run; the engine turns it into a hold record. */
export class HoldDecided extends Error {
  override readonly name = 'HoldDecided';
  readonly reason: HoldReason;

  constructor(reason: HoldReason, text: string, options: { cause?: unknown } = {}) {
    super(text, options);
    this.reason = reason;
  }
}

export interface HoldPlace {
  readonly kv: KvReads;
  readonly keys: Keyspace;
  readonly member: MemberId;
}

/**
 * The hold on a member as it is in the store; `own`: written for this recovery. An unreadable one
 * counts as somebody else's.
 */
export async function readHold(place: HoldPlace, opId: string): Promise<HoldFound> {
  const nobodys: HoldFound = {
    ...{ modRevision: 0, own: false, text: '', reason: '', sinceWallMs: 0, untilWallMs: null },
    carried: {},
  };
  const entry = await place.kv.get(place.keys.hold(place.member));
  if (!entry) return nobodys;
  try {
    const { modRevision } = entry;
    const hold = parseRecord(HoldRecordSchema, entry.key, entry.value);
    const { text, reason, sinceWallMs, untilWallMs } = hold;
    const carried = carriedFields(HoldRecordSchema, hold);
    return { modRevision, own: hold.opId === opId, text, reason, sinceWallMs, untilWallMs, carried };
  } catch {
    return { ...nobodys, modRevision: entry.modRevision };
  }
}

interface HoldFound {
  readonly modRevision: number;
  readonly own: boolean;
  readonly text: string;
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly untilWallMs: number | null;
  /** What a newer build has written beside. */
  readonly carried: Readonly<Record<string, unknown>>;
}

/** What a hold record of a recovery says. */
export interface HoldText {
  readonly reason: HoldReason;
  readonly text: string;
  readonly sinceWallMs: number;
  readonly untilWallMs: number | null;
}

const WRITE_TRIES = 3;

/**
 * Makes the refusal visible (guarded, only while the intent is still open). The same hold is not
 * written twice, and one for the same reason keeps its `since`. `yields`: somebody else's hold on
 * the member says more than ours, and stays. Returns the revision it has then; null: it is not
 * there, because it yields or somebody else wrote beside us each time.
 * @throws LEASE_LOST, STORE_UNAVAILABLE, STORE_OUTCOME_UNKNOWN
 */
export async function writeHold(
  place: HoldPlace,
  intent: OpenIntent,
  term: Term,
  hold: HoldText,
  yields = false,
): Promise<number | null> {
  const { opId } = intent.record;
  const { member } = place;
  const { reason, text, untilWallMs } = hold;
  for (let tries = 0; tries < WRITE_TRIES; tries += 1) {
    const known = await readHold(place, opId);
    if (yields && !known.own && known.modRevision !== 0) return null;
    const same = known.own && known.reason === reason;
    if (same && known.text === text && known.untilWallMs === untilWallMs) return known.modRevision;
    const sinceWallMs = same ? Math.min(known.sinceWallMs, hold.sinceWallMs) : hold.sinceWallMs;
    const record = { ...(same ? known.carried : {}), member, reason, text, sinceWallMs, untilWallMs, opId };
    const outcome = await term.commit({
      puts: [{ key: place.keys.hold(member), expect: known.modRevision, record }],
      also: [{ key: place.keys.intent(member), modRevision: intent.modRevision }],
    });
    if (outcome.kind === 'committed') return outcome.revision;
  }
  return null;
}
