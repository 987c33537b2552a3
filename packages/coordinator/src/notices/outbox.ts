import type { Clock, GuardedPut, Keyspace, Random } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';
import { type Change } from './change.ts';
import { changesOf, type RecordsBefore, type TellingWrite } from './changes-of-write.ts';
import { fold } from './fold.ts';
import { type Sink, wants } from './sink.ts';

/** etcd takes 128 operations in one transaction. Batches of the leader leave room for these. */
const PER_WRITE_MAX = 8;
/** So many notices may wait. Beyond that there is no news that anybody reads one by one. */
export const WAITING_MAX = 1_000;
const TEXT_MAX = 1_000;

type Records = RecordsBefore & Pick<ClusterRecords, 'outbox'>;

export interface OutboxOptions {
  readonly sinks: readonly Sink[];
  readonly records: Records;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Puts the notices of a write beside it, into the same transaction. Without sinks nothing is
 * written. A notice that finds no room is counted; the change it tells of is made all the same,
 * since news must never stand in the way of a recovery.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #dropped = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Notices that found no room, since this process began. */
  get dropped(): number {
    return this.#dropped;
  }

  beside(write: TellingWrite): readonly GuardedPut[] {
    const { sinks, records, clock } = this.#options;
    return sinks.length === 0 ? [] : this.putsFor(changesOf(write, records, clock.wallMs()));
  }

  /** The puts of what somebody wants to hear. */
  putsFor(changes: readonly Change[]): readonly GuardedPut[] {
    const { sinks, records, keys, clock } = this.#options;
    const wanted = fold(changes).filter((one) => sinks.some((sink) => wants(sink, { ...one, onlyTo: null })));
    const room = Math.max(0, Math.min(PER_WRITE_MAX, WAITING_MAX - records.outbox.size));
    this.#dropped += Math.max(0, wanted.length - room);
    const atWallMs = clock.wallMs();
    return wanted.slice(0, room).map((one) => {
      const id = this.#newId(atWallMs);
      const [what, why, next] = [one.what, one.why, one.next].map((text) => text.slice(0, TEXT_MAX));
      const record = {
        ...one,
        id,
        atWallMs,
        what,
        why,
        next,
        deliveredTo: [],
        onlyTo: null,
        waitsSinceWallMs: atWallMs,
      };
      return { key: keys.notice(id), record, expect: 0 };
    });
  }

  /** In the order of time, and never the same again. */
  #newId(atWallMs: number): string {
    return `${String(Math.max(0, Math.round(atWallMs))).padStart(13, '0')}-${this.#options.random.hex(8)}`;
  }
}
