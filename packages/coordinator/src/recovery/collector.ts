import {
  type ActivationRecord,
  ActivationRecordSchema,
  type Clock,
  type Cloud,
  type CloudCallOptions,
  type CloudInstance,
  errorText,
  type HistoryRecord,
  HistoryRecordSchema,
  IntentRecordSchema,
  isOperationError,
  type Keyspace,
  type KvEntry,
  type KvStore,
  type Log,
  type MemberId,
  OperationError,
  parseRecord,
  TAG,
} from '@understudy/shared';
import type * as z from 'zod';
import type { Term } from '../contracts.ts';
import {
  dueLeftovers,
  findLooseVolumes,
  findOrphans,
  findStrays,
  type Found,
  judgeRetired,
  type KnownRecoveries,
  type Leftover,
  type Orphan,
  trimmable,
} from '../core/recovery/collect.ts';

export interface CollectorOptions {
  readonly cloud: Cloud;
  readonly kv: KvStore;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  /** What the term must still hold for before each deletion, ms. Default 5 000. */
  readonly callTimeoutMs?: number;
  /** Deletions of one pass. Default 50: a pass must not eat the rate limits of recoveries. */
  readonly removalsMax?: number;
  /** History records kept per member. Default 20. */
  readonly historyKept?: number;
  /** Of a member's policy: the guard counts that many ended recoveries, so no fewer are kept. Default 1. */
  readonly flapLimitOf?: (member: MemberId) => number;
}

export interface CollectReport {
  readonly removed: readonly { readonly kind: Leftover['kind']; readonly id: string }[];
  /** Due, but not removed, with the reason. */
  readonly kept: readonly { readonly kind: Leftover['kind']; readonly id: string; readonly why: string }[];
  /** Disks of finished recoveries that hang on nothing (an attempt that failed, or a disk taken off). Reported, never deleted: they are data. */
  readonly looseVolumes: readonly string[];
  /** What must not be: launched instances nobody accounts for, history that cannot be read. */
  readonly violations: readonly string[];
  readonly trimmed: number;
}

interface HistoryEntry {
  readonly key: string;
  readonly record: HistoryRecord;
  readonly modRevision: number;
}

interface Pass {
  readonly term: Term;
  readonly removed: { kind: Leftover['kind']; id: string }[];
  readonly kept: { kind: Leftover['kind']; id: string; why: string }[];
  readonly violations: string[];
  readonly looseVolumes: string[];
}

const TRIMS_PER_COMMIT = 100;

/**
 * Removes what recoveries leave behind, once its time has come, and trims the history. Everything it does is idempotent: what is gone
 * already counts as removed, and a pass that ends half-way is continued by the next one, under whatever leader.
 */
export class Collector {
  readonly #options: Required<CollectorOptions>;

  constructor(options: CollectorOptions) {
    this.#options = { callTimeoutMs: 5_000, removalsMax: 50, historyKept: 20, flapLimitOf: () => 1, ...options };
  }

  /**
   * One pass. @throws LEASE_LOST, STORE_*; what EC2 refuses is in the report, for the next pass.
   */
  async collect(term: Term): Promise<CollectReport> {
    const pass: Pass = { term, removed: [], kept: [], violations: [], looseVolumes: [] };
    const { entries, known } = await this.#known(pass);
    const retired = await this.#retiredInstances(term, entries);
    for (const entry of entries) await this.#settle(pass, entry, known, retired);
    await this.#sweep(pass, known);
    const trimmed = await this.#trim(pass, entries);
    const { removed, kept, violations, looseVolumes } = pass;
    return { removed, kept, violations, looseVolumes, trimmed };
  }

  async #known(pass: Pass): Promise<{ entries: HistoryEntry[]; known: KnownRecoveries }> {
    const { kv, keys } = this.#options;
    // Intents are read before the history: a recovery that closes in between is then seen as open, which is the careful mistake.
    const intents = await kv.range(keys.intents);
    const [history, activations] = await Promise.all([kv.range(keys.history), kv.range(keys.activations)]);
    const read = <T>(schema: z.ZodType<T>, entry: KvEntry): T[] => {
      try {
        return [parseRecord(schema, entry.key, entry.value)];
      } catch (error) {
        pass.violations.push(errorText(error));
        return [];
      }
    };
    const entries = history.entries.flatMap((entry) =>
      read(HistoryRecordSchema, entry).map((record) => ({ key: entry.key, record, modRevision: entry.modRevision })),
    );
    return {
      entries,
      known: {
        finished: new Map(entries.map(({ record }) => [record.opId, record])),
        open: new Set(intents.entries.flatMap((entry) => read(IntentRecordSchema, entry).map((record) => record.opId))),
        activations: new Map<MemberId, ActivationRecord>(
          activations.entries.flatMap((entry) =>
            read(ActivationRecordSchema, entry).map((record): [MemberId, ActivationRecord] => [record.member, record]),
          ),
        ),
      },
    };
  }

  async #retiredInstances(term: Term, entries: readonly HistoryEntry[]): Promise<Map<string, CloudInstance> | null> {
    const ids = entries.flatMap(({ record }) =>
      record.leftovers.filter((one) => one.kind === 'instance').map((one) => one.id),
    );
    if (ids.length === 0) return new Map();
    try {
      // All of them, however many: one that was not asked for would pass for one that is gone. The adapter asks in portions.
      const filters = { 'instance-id': ids };
      const found = await this.#options.cloud.describeInstances(filters, { signal: term.signal });
      return new Map(found.map((one) => [one.instanceId, one]));
    } catch (error) {
      // Not seen is not gone: without this read no instance is judged in this pass.
      this.#options.log.warn('collector.describe_failed', { error: errorText(error) });
      return null;
    }
  }

  /** Removes what is due of one finished recovery and writes down what remains. */
  async #settle(
    pass: Pass,
    entry: HistoryEntry,
    known: KnownRecoveries,
    retired: ReadonlyMap<string, CloudInstance> | null,
  ): Promise<void> {
    const { record } = entry;
    const gone = new Set<Leftover>();
    const nowWallMs = this.#options.clock.wallMs();
    const activation = known.activations.get(record.member) ?? null;
    const due = dueLeftovers(record, nowWallMs);
    for (const leftover of record.leftovers.filter((one) => one.kind === 'instance')) {
      if (retired === null) continue;
      const instance = retired.get(leftover.id) ?? null;
      const facts = {
        instance,
        opId: record.opId,
        due: due.includes(leftover),
        activation,
        wasSeenDown: record.fencedBy !== 'lease',
      };
      if (await this.#retire(pass, leftover, record, facts)) gone.add(leftover);
    }
    for (const leftover of due.filter((one) => one.kind !== 'instance')) {
      if (await this.#remove(pass, leftover.kind, leftover.id)) gone.add(leftover);
    }
    if (gone.size === 0) return;
    const leftovers = record.leftovers.filter((one) => !gone.has(one));
    const put = { key: entry.key, expect: entry.modRevision, record: { ...record, leftovers } };
    // A conflict means somebody else wrote it; the next pass sees what.
    await pass.term.commit({ puts: [put] });
  }

  /** `true`: seen gone. A terminated instance is seen so by a later pass. */
  async #retire(
    pass: Pass,
    leftover: Leftover,
    history: HistoryRecord,
    facts: Parameters<typeof judgeRetired>[0],
  ): Promise<boolean> {
    const { cloud } = this.#options;
    const verdict = judgeRetired(facts);
    switch (verdict.kind) {
      case 'gone':
        pass.removed.push({ kind: 'instance', id: leftover.id });
        return true;
      case 'keep':
        if (facts.due) pass.kept.push({ kind: 'instance', id: leftover.id, why: verdict.why });
        return false;
      case 'tag': {
        const tags = { [TAG.retiredBy]: history.opId, [TAG.retainUntil]: new Date(leftover.afterWallMs).toISOString() };
        await this.#effect(pass, leftover.kind, leftover.id, (options) =>
          cloud.createTags([leftover.id], tags, options),
        );
        return false;
      }
      case 'terminate':
        await this.#terminate(pass, leftover);
        return false;
    }
  }

  async #terminate(pass: Pass, leftover: Leftover): Promise<void> {
    const { cloud, log } = this.#options;
    const sent = await this.#effect(pass, leftover.kind, leftover.id, (options) =>
      cloud.terminateInstance(leftover.id, options),
    );
    if (sent) log.info('collector.terminating', { instanceId: leftover.id });
  }

  async #remove(
    pass: Pass,
    kind: Exclude<Leftover['kind'], 'instance'> | Leftover['kind'],
    id: string,
  ): Promise<boolean> {
    const { cloud, log } = this.#options;
    const removed = await this.#effect(pass, kind, id, (options) => {
      if (kind === 'image') return cloud.deregisterImage(id, options);
      if (kind === 'snapshot') return cloud.deleteSnapshot(id, options);
      return cloud.deleteNetworkInterface(id, options);
    });
    if (!removed) return false;
    pass.removed.push({ kind, id });
    log.info('collector.removed', { kind, id });
    return true;
  }

  /** One deletion: deadline, one attempt. `true`: done, or gone already. */
  async #effect(
    pass: Pass,
    kind: Leftover['kind'],
    id: string,
    call: (options: CloudCallOptions) => Promise<void>,
  ): Promise<boolean> {
    const { term } = pass;
    const mayStart = () => term.holdsFor(this.#options.callTimeoutMs);
    if (pass.removed.length >= this.#options.removalsMax) return false;
    if (!mayStart()) throw new OperationError('LEASE_LOST', 'the term does not hold long enough for another deletion');
    try {
      await call({ signal: term.signal, mayStart });
      return true;
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
      if (error.code === 'CLOUD_NOT_FOUND') return true;
      pass.kept.push({ kind, id, why: error.message });
      return false;
    }
  }

  /** Whatever carries the tag of a finished recovery and stands in no record. */
  async #sweep(pass: Pass, known: KnownRecoveries): Promise<void> {
    let found: Found;
    try {
      found = await this.#scan(pass.term);
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
      this.#options.log.warn('collector.scan_failed', { error: error.message });
      return;
    }
    for (const instanceId of findStrays(found, known)) {
      pass.violations.push(`instance ${instanceId} was launched by a recovery and is accounted for by nothing`);
    }
    pass.looseVolumes.push(...findLooseVolumes(found, known));
    const orphans: readonly Orphan[] = findOrphans(found, known);
    for (const orphan of orphans) await this.#remove(pass, orphan.kind, orphan.id);
    for (const text of pass.violations) this.#options.log.error('collector.violation', { text });
  }

  async #scan(term: Term): Promise<Found> {
    const { cloud } = this.#options;
    const filters = { 'tag-key': [TAG.op] };
    const options = { signal: term.signal };
    const [snapshots, images, networkInterfaces, instances, volumes] = await Promise.all([
      cloud.describeSnapshots(filters, options),
      cloud.describeImages(filters, options),
      cloud.describeNetworkInterfaces(filters, options),
      cloud.describeInstances(filters, options),
      cloud.describeVolumes({ ...filters, status: ['available'] }, options),
    ]);
    return { snapshots, images, networkInterfaces, instances, volumes };
  }

  /** A commit needs a put: the newest record that stays is written again, unchanged, and carries the deletions. */
  async #trim(pass: Pass, entries: readonly HistoryEntry[]): Promise<number> {
    const { historyKept, flapLimitOf } = this.#options;
    const keptOf = (member: MemberId) => Math.max(historyKept, flapLimitOf(member));
    const gone = new Set(trimmable(entries, keptOf).slice(0, TRIMS_PER_COMMIT));
    const carrier = entries.find((entry) => !gone.has(entry.key));
    if (gone.size === 0 || !carrier) return 0;
    const deletes = entries
      .filter((entry) => gone.has(entry.key))
      .map((entry) => ({ key: entry.key, expect: entry.modRevision }));
    const put = { key: carrier.key, expect: carrier.modRevision, record: carrier.record };
    const outcome = await pass.term.commit({ puts: [put], deletes });
    return outcome.kind === 'committed' ? deletes.length : 0;
  }
}
