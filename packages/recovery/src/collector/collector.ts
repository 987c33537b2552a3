import {
  type Clock,
  type Cloud,
  type CloudInstance,
  isOperationError,
  type Keyspace,
  type KvReads,
  type Leftover,
  type Log,
  type MemberId,
  TAG,
  type Term,
} from '@understudy/shared';
import { choreKey } from '../core/chores.ts';
import {
  findLooseVolumes,
  findOrphans,
  findReturned,
  findStrays,
  type Found,
  hasReserved,
  type KnownRecoveries,
  type Orphan,
  type Returned,
  trimmable,
} from '../core/collect.ts';
import { isLiveReservation } from '../core/reservation-fit.ts';
import { Absences } from './absences.ts';
import { type HistoryEntry, readBooks, readNeeded } from './books.ts';
import { CollectPass, type CollectReport } from './collect-pass.ts';
import { lookAtBooks } from './collect-sight.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import { REGISTERED } from '../registered.ts';
import { RetryPace } from './retry-pace.ts';
import { Settling, type SettlingParts } from './settle.ts';

export interface CollectorOptions {
  readonly cloud: Cloud;
  readonly kv: KvReads;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  /** What the term must still hold for before each deletion, ms. Default 5 000. */
  readonly callTimeoutMs?: number;
  /**
   * Deletions and chores of one pass. Default 50: a pass must not eat the rate limits of
   * recoveries.
   */
  readonly removalsMax?: number;
  /** History records kept per member. Default 20. */
  readonly historyKept?: number;
  /**
   * `flapLimit` of a member's policy. The guard counts that many ended recoveries, so no fewer are
   * kept. Default 1.
   */
  readonly flapLimitOf?: (member: MemberId) => number;
  /** What recoveries leave behind, and how it goes. Default: all kinds that are registered. */
  readonly kinds?: readonly LeftoverKind[];
}

const TRIMS_PER_COMMIT = 100;

interface Scan extends Found {
  readonly retired: readonly CloudInstance[];
}

/**
 * Removes what recoveries leave behind, once its time has come, and trims the history. Everything
 * it does is idempotent: what is gone already counts as removed, and a pass that ends half-way is
 * continued by the next one, under whatever leader.
 */
export class Collector {
  readonly #options: Required<CollectorOptions>;
  readonly #settling: SettlingParts;

  constructor(options: CollectorOptions) {
    const kinds = REGISTERED.leftovers;
    this.#options = { callTimeoutMs: 5_000, removalsMax: 50, historyKept: 20, flapLimitOf: () => 1, kinds, ...options };
    const { clock, log } = this.#options;
    this.#settling = { clock, log, absences: new Absences(), pace: new RetryPace(), kinds: this.#options.kinds };
  }

  /**
   * One pass. @throws LEASE_LOST, STORE_*; what EC2 refuses is in the report, for the next pass.
   */
  async collect(term: Term): Promise<CollectReport> {
    const { cloud, kv, keys, clock, log, callTimeoutMs, removalsMax } = this.#options;
    const pass = new CollectPass(cloud, term, {
      ...{ callTimeoutMs, effectsMax: removalsMax, clock },
      readNeeded: () => readNeeded(kv, keys),
    });
    const { entries, known, unreadable } = await readBooks(kv, keys);
    pass.violations.push(...unreadable);
    const sight = await lookAtBooks(cloud, term, entries, log);
    for (const entry of entries) await this.#settle(pass, entry, { known, sight });
    this.#forget(entries);
    await this.#sweep(pass, entries, known);
    const trimmed = await this.#trim(pass, entries);
    return pass.report(trimmed);
  }

  /** What is off the books needs no memory. */
  #forget(entries: readonly HistoryEntry[]): void {
    const ids = entries.flatMap(({ record }) => record.leftovers.map((one) => one.id));
    const chores = entries.flatMap(({ record }) => record.owed.map(({ chore }) => `${record.opId} ${choreKey(chore)}`));
    this.#settling.absences.retain(new Set(ids));
    this.#settling.pace.retain(new Set([...ids, ...chores]));
  }

  /**
   * Removes what is due of one finished recovery, puts in place what is owed of it, and writes down
   * what remains.
   */
  async #settle(
    pass: CollectPass,
    entry: HistoryEntry,
    context: ConstructorParameters<typeof Settling>[3],
  ): Promise<void> {
    const record = await new Settling(this.#settling, pass, entry, context).run();
    if (record === null) return;
    // A conflict means somebody else wrote it; the next pass sees what.
    await pass.term.commit({ puts: [{ key: entry.key, expect: entry.modRevision, record }] });
  }

  /** Whatever carries the tag of a finished recovery and stands in no record. */
  async #sweep(pass: CollectPass, entries: readonly HistoryEntry[], known: KnownRecoveries): Promise<void> {
    const { retired, ...found } = await this.#scan(pass.term, hasReserved(known));
    for (const instanceId of findStrays(found, known)) {
      pass.violations.push(`instance ${instanceId} was launched by a recovery and is accounted for by nothing`);
    }
    pass.looseVolumes.push(...findLooseVolumes(found, known));
    for (const orphan of findOrphans(found, known)) await this.#removeOrphan(pass, orphan);
    for (const returned of findReturned(retired, known)) await this.#takeBack(pass, entries, returned);
    for (const text of pass.violations) this.#options.log.error('collector.violation', { text });
  }

  async #removeOrphan(pass: CollectPass, { kind, id }: Orphan): Promise<void> {
    const { log, kinds } = this.#options;
    const remove = kinds.find((known) => known.kind === kind)?.remove;
    if (!remove) return;
    const outcome = await pass.removal(id, (cloud, options) => remove(cloud, id, options));
    if (outcome === 'done') {
      pass.removed.push({ kind, id });
      log.info('collector.removed', { kind, id });
    } else if (typeof outcome === 'object') pass.kept.push({ kind, id, why: outcome.text });
  }

  /** It was believed gone, and is not: on the books again, with the retention it had. */
  async #takeBack(
    pass: CollectPass,
    entries: readonly HistoryEntry[],
    { opId, instanceId, afterWallMs }: Returned,
  ): Promise<void> {
    const entry = entries.find((one) => one.record.opId === opId);
    const stored = entry && (await this.#options.kv.get(entry.key));
    if (!entry || stored?.modRevision !== entry.modRevision) return;
    const again: Leftover = {
      kind: 'instance',
      id: instanceId,
      afterWallMs,
      obstacle: null,
    };
    const record = { ...entry.record, leftovers: [...entry.record.leftovers, again] };
    this.#options.log.warn('collector.returned', { instanceId, opId });
    await pass.term.commit({ puts: [{ key: entry.key, expect: entry.modRevision, record }] });
  }

  /**
   * Each listing by itself: one that fails hides nothing of the others, and finds nothing of its
   * own.
   */
  async #scan(term: Term, hasPlaces: boolean): Promise<Scan> {
    const { cloud, log } = this.#options;
    const filters = { 'tag-key': [TAG.op] };
    const options = { signal: term.signal, urgency: 'chore' } as const;
    const listed = async <T>(what: string, listing: Promise<readonly T[]>): Promise<readonly T[]> => {
      try {
        return await listing;
      } catch (error) {
        if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
        log.warn('collector.scan_failed', { what, error: error.message });
        return [];
      }
    };
    const [snapshots, images, networkInterfaces, instances, volumes, retired, reservations] = await Promise.all([
      listed('snapshots', cloud.describeSnapshots(filters, options)),
      listed('images', cloud.describeImages(filters, options)),
      listed('network interfaces', cloud.describeNetworkInterfaces(filters, options)),
      listed('instances', cloud.describeInstances(filters, options)),
      listed('volumes', cloud.describeVolumes({ ...filters, status: ['available'] }, options)),
      listed('retired instances', cloud.describeInstances({ 'tag-key': [TAG.retiredBy] }, options)),
      hasPlaces ? listed('capacity reservations', cloud.describeCapacityReservations(filters, options)) : [],
    ]);
    return {
      ...{ snapshots, images, networkInterfaces, instances, volumes, retired },
      reservations: reservations.filter(isLiveReservation),
    };
  }

  /** Removes the oldest records of whoever has too many. A conflict waits for the next pass. */
  async #trim(pass: CollectPass, entries: readonly HistoryEntry[]): Promise<number> {
    const { historyKept, flapLimitOf } = this.#options;
    const keptOf = (member: MemberId) => Math.max(historyKept, flapLimitOf(member));
    const gone = new Set(trimmable(entries, keptOf).slice(0, TRIMS_PER_COMMIT));
    const [first, ...others] = entries
      .filter((entry) => gone.has(entry.key))
      .map((entry) => ({ key: entry.key, expect: entry.modRevision }));
    if (!first) return 0;
    const outcome = await pass.term.remove([first, ...others]);
    return outcome.kind === 'committed' ? gone.size : 0;
  }
}
