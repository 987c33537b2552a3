import {
  carriedFields,
  type Clock,
  forEachBounded,
  hasCode,
  type HoldReason,
  type HoldRecord,
  HoldRecordSchema,
  type Keyspace,
  type Log,
  type MemberId,
  RecurringFailure,
  type Revision,
  type Term,
  type WallMs,
  WAYS_OUT,
} from '@understudy/shared';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';
import { undecidedRecovery } from '@understudy/recovery';

/** A refusal to act that is not the recovery engine's: why nothing is begun for this member. */
export interface WantedHold {
  readonly reason: HoldReason;
  readonly text: string;
  readonly untilWallMs: number | null;
}

export type HoldChange =
  | {
      readonly kind: 'put';
      readonly member: MemberId;
      readonly expect: Revision;
      readonly hold: WantedHold;
      readonly sinceWallMs: number;
      /** What a newer build wrote into the hold that this one rewords; absent: nothing. */
      readonly carried?: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'clear'; readonly member: MemberId; readonly expect: Revision };

/** Same reason, other words (a count that moved): written again no more often than this. */
const REWORD_EVERY_MS = 30_000;
const CHANGES_PER_PASS = 200;
const WRITES_AT_ONCE = 8;

function isSettled(wanted: WantedHold, stored: Stored<HoldRecord>, nowWallMs: WallMs): boolean {
  const { record } = stored;
  if (record.reason !== wanted.reason || record.opId !== null) return false;
  if (record.text === wanted.text && record.untilWallMs === wanted.untilWallMs) return true;
  return Math.abs(nowWallMs - record.writtenAtWallMs) < REWORD_EVERY_MS;
}

/**
 * What to write so that the hold records say what is wanted, on change only. Pure. A hold that
 * belongs to an open recovery is its engine's: not cleared here, and replaced only once the
 * recovery has activated its replacement: that a member is dead and not recovered is more than that
 * a chore of the last recovery is stuck. A record that cannot be read is left for a person.
 */
export function planHolds(options: {
  readonly wanted: ReadonlyMap<MemberId, WantedHold>;
  readonly records: Pick<ClusterRecords, 'holds' | 'intents' | 'activations' | 'unreadable'>;
  readonly keyOf: (member: MemberId) => string;
  readonly nowWallMs: WallMs;
}): readonly HoldChange[] {
  const { wanted, records, nowWallMs } = options;
  const isEngines = (member: MemberId, stored: Stored<HoldRecord> | undefined) =>
    stored !== undefined &&
    stored.record.opId !== null &&
    records.intents.get(member)?.record.opId === stored.record.opId;
  const changes: HoldChange[] = [];
  for (const [member, hold] of wanted) {
    const stored = records.holds.get(member);
    const engineGoesFirst = isEngines(member, stored) && undecidedRecovery(records, member) !== null;
    if (engineGoesFirst || records.unreadable.has(options.keyOf(member))) continue;
    if (stored && isSettled(hold, stored, nowWallMs)) continue;
    const same = stored?.record.reason === hold.reason ? stored.record : null;
    const carried = same === null ? {} : carriedFields(HoldRecordSchema, same);
    const sinceWallMs = same?.sinceWallMs ?? nowWallMs;
    changes.push({
      ...{ kind: 'put', member, expect: stored?.modRevision ?? 0, hold, sinceWallMs },
      ...(Object.keys(carried).length > 0 && { carried }),
    });
  }
  for (const [member, stored] of records.holds) {
    if (!wanted.has(member) && !isEngines(member, stored))
      changes.push({ kind: 'clear', member, expect: stored.modRevision });
  }
  return changes.slice(0, CHANGES_PER_PASS);
}

/**
 * Writes and removes hold records, guarded by the term and by the revision that was seen; a
 * conflict is left to the next pass.
 */
export class HoldKeeper {
  readonly #keys: Keyspace;
  readonly #log: Log;
  readonly #clearing: RecurringFailure;

  constructor(options: {
    readonly keys: Keyspace;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#keys = options.keys;
    this.#log = options.log;
    this.#clearing = new RecurringFailure({ ...options, event: 'hold.clear_failed' });
  }

  /** @throws LEASE_LOST or a store error. */
  async write(term: Term, changes: readonly HoldChange[]): Promise<void> {
    await forEachBounded(changes, WRITES_AT_ONCE, (change) =>
      change.kind === 'put' ? this.#put(term, change) : this.#clear(term, change),
    );
  }

  async #put(term: Term, change: HoldChange & { readonly kind: 'put' }): Promise<void> {
    const { member, hold, sinceWallMs } = change;
    const record = { ...change.carried, member, ...hold, sinceWallMs, opId: null };
    const outcome = await term.commit({ puts: [{ key: this.#keys.hold(member), record, expect: change.expect }] });
    if (outcome.kind !== 'committed') return;
    const endsByItself = WAYS_OUT[hold.reason].endsByItself;
    this.#log[endsByItself ? 'warn' : 'error']('hold.placed', {
      ...{ member, reason: hold.reason, text: hold.text, term: term.number },
    });
  }

  /** What does not work for one member is met again on the next pass, and keeps nobody else. */
  async #clear(term: Term, { member, expect }: HoldChange): Promise<void> {
    try {
      const outcome = await term.remove([{ key: this.#keys.hold(member), expect }]);
      this.#clearing.worked();
      if (outcome.kind === 'committed') this.#log.info('hold.cleared', { member, term: term.number });
    } catch (error) {
      if (hasCode(error, 'LEASE_LOST')) throw error;
      this.#clearing.failed(error, { member });
    }
  }
}
