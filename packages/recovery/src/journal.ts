import {
  carriedFields,
  type GuardedDelete,
  type GuardedPut,
  type JournalRecord,
  JournalRecordSchema,
  type Keyspace,
  type KvEntry,
  type KvReads,
  OperationError,
  parseKeeping,
  parseRecord,
  type Revision,
  type Term,
} from '@understudy/shared';
import * as z from 'zod';
import { readStepId, type StepAt, stepId } from './core/step-id.ts';
import type { StepState, StepStates } from './core/step-table.ts';
import type { OpenIntent } from './runner.ts';
import {
  type NotedOf,
  progressSchema,
  type RequestOf,
  type ResultOf,
  type Sends,
  type StepRecord,
} from './step-record.ts';

/** A journal record, read and checked against its step's shapes. */
export interface JournalEntry<R extends StepRecord> {
  readonly step: string;
  readonly state: StepState;
  readonly term: number;
  readonly startedAtWallMs: number;
  readonly endedAtWallMs: number | null;
  readonly request: RequestOf<R> | null;
  readonly sends: Sends;
  /** Only while `started`. */
  readonly noted: NotedOf<R> | null;
  /** Only when `done` or `failed`. */
  readonly result: ResultOf<R> | null;
  readonly error: { readonly code: string; readonly text: string } | null;
}

/** What a write changes; what is absent stays as it was. */
export interface JournalChange<R extends StepRecord> {
  readonly state: StepState;
  readonly request?: RequestOf<R>;
  readonly sends?: Sends;
  readonly noted?: NotedOf<R>;
  readonly result?: ResultOf<R>;
  readonly error?: { readonly code: string; readonly text: string };
}

/** Further parts of the same transaction. */
export interface Alongside {
  readonly puts?: readonly GuardedPut[];
  readonly deletes?: readonly GuardedDelete[];
}

export type JournalWrite =
  | { readonly kind: 'written' }
  /**
   * The step's own record is not what we knew; it has been read again. Go on from what is there.
   */
  | { readonly kind: 'stale' }
  /** A key of {@link Alongside} is not what the caller knew: what it holds now, puts first. */
  | { readonly kind: 'conflict'; readonly entries: readonly (KvEntry | null)[] };

/**
 * The intent is not the one this run was given (finished, or replaced): whatever we do would be for
 * nobody.
 */
export class IntentGone extends Error {
  override readonly name = 'IntentGone';
}

export interface HeldBy {
  readonly key: string;
  readonly modRevision: Revision;
}

interface Kept {
  readonly record: JournalRecord;
  readonly modRevision: Revision;
}

function shaped<T>(schema: z.ZodType<T>, step: string, part: string, value: unknown): T {
  const parsed = parseKeeping(schema, value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${[part, ...path].join('.')}: ${message}`);
  throw new OperationError('RECORD_UNREADABLE', `journal ${step}: ${issues.join('; ')}`, { cause: parsed.error });
}

/** The typed view of a record. @throws RECORD_UNREADABLE */
export function readEntry<R extends StepRecord>(shapes: R, record: JournalRecord): JournalEntry<R> {
  const open = record.state === 'started';
  const progress = open && record.result !== null ? shaped(progressSchema, record.step, 'result', record.result) : null;
  const optional = <T>(schema: z.ZodType, part: string, value: unknown): T | null =>
    value === null || value === undefined ? null : (shaped(schema, record.step, part, value) as T);
  return {
    step: record.step,
    state: record.state,
    term: record.term,
    startedAtWallMs: record.startedAtWallMs,
    endedAtWallMs: record.endedAtWallMs,
    request: optional<RequestOf<R>>(shapes.request, 'request', record.request),
    sends: progress?.sends ?? {},
    noted: optional<NotedOf<R>>(shapes.noted, 'noted', progress?.noted),
    result: open ? null : optional<ResultOf<R>>(shapes.result, 'result', record.result),
    error: record.error,
  };
}

/** What a newer build has noted beside what this one knows: kept for it. */
function carried(shape: z.ZodType, noted: unknown): Readonly<Record<string, unknown>> {
  return shape instanceof z.ZodObject && typeof noted === 'object' && noted !== null ? carriedFields(shape, noted) : {};
}

export interface JournalOptions {
  readonly kv: KvReads;
  readonly keys: Keyspace;
  readonly intent: OpenIntent;
  readonly term: Term;
  /** The records of every step there is. A journal with any other step is not gone on with. */
  readonly records: readonly StepRecord[];
  readonly wallMs: () => number;
}

/**
 * The journal of one recovery. Every write is one guarded transaction that compares the term, the
 * intent (a finished recovery is never begun again) and the record's own revision.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #kept = new Map<string, Kept>();
  /** Our own hold on this member, removed by the next write: something has moved. */
  #hold: HeldBy | null = null;
  /**
   * When our own hold goes: `until-progress`: with the next write that ends a step. `keep`: not
   * now, something of this run still fails. `release`: with the next write, whatever it says.
   */
  holdRule: 'until-progress' | 'keep' | 'release' = 'until-progress';

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /**
   * @throws STORE_UNAVAILABLE, RECORD_UNREADABLE (for any record: nothing is done on half a
   * journal).
   */
  async load(): Promise<void> {
    const { kv, keys, intent } = this.#options;
    const { entries } = await kv.range(keys.journalOf(intent.record.opId));
    this.#kept.clear();
    for (const entry of entries) this.#keep(entry);
  }

  #keep(entry: KvEntry): void {
    const record = parseRecord(JournalRecordSchema, entry.key, entry.value);
    readEntry(this.#shapesOf(record.step), record);
    this.#kept.set(record.step, { record, modRevision: entry.modRevision });
  }

  #shapesOf(step: string): StepRecord {
    const { name } = readStepId(step);
    const shapes = this.#options.records.find((one) => one.name === name);
    if (shapes) return shapes;
    throw new OperationError('RECORD_UNREADABLE', `journal step "${step}" has no known name`);
  }

  get #excludesIntent(): boolean {
    return this.#options.intent.preparation?.isDropped === false;
  }

  get hold(): HeldBy | null {
    return this.#hold;
  }

  set hold(hold: HeldBy | null) {
    this.#hold = hold;
  }

  /** A step of an identity move that is over because its item could not follow. */
  isLost(step: string): boolean {
    const record = this.#kept.get(step)?.record;
    return record?.state === 'done' && typeof record.result?.lost === 'string';
  }

  states(): StepStates {
    return new Map([...this.#kept].map(([step, { record }]) => [step, record.state]));
  }

  records(): readonly JournalRecord[] {
    return [...this.#kept.values()].map(({ record }) => record);
  }

  /** null: never begun. */
  get<R extends StepRecord>(record: R, at?: StepAt): JournalEntry<R> | null {
    return this.entry(record, stepId(record.name, at));
  }

  /** As {@link get}, of a step by its id. */
  entry<R extends StepRecord>(shapes: R, step: string): JournalEntry<R> | null {
    const kept = this.#kept.get(step);
    return kept ? readEntry(shapes, kept.record) : null;
  }

  modRevision(step: string): Revision {
    return this.#kept.get(step)?.modRevision ?? 0;
  }

  /**
   * @throws LEASE_LOST, STORE_UNAVAILABLE, STORE_OUTCOME_UNKNOWN from the term; {@link IntentGone}.
   */
  async write<R extends StepRecord>(
    step: string,
    change: JournalChange<R>,
    alongside: Alongside = {},
  ): Promise<JournalWrite> {
    const { keys, intent, term } = this.#options;
    const { opId } = intent.record;
    const record = this.#changed(step, change);
    const puts = alongside.puts ?? [];
    const hold = this.#holdToRemove(change.state);
    const deletes = [...(alongside.deletes ?? []), ...(hold ? [{ key: hold.key, expect: hold.modRevision }] : [])];
    const key = keys.journalStep(opId, step);
    const outcome = await term.commit({
      puts: [{ key, record, expect: this.modRevision(step) }, ...puts],
      deletes,
      also: [
        ...(this.#excludesIntent ? [{ key: keys.intent(intent.record.member), modRevision: 0 }] : []),
        { key: intent.preparation?.key ?? keys.intent(intent.record.member), modRevision: intent.modRevision },
      ],
    });
    if (outcome.kind === 'committed') {
      this.#kept.set(step, { record: { ...record, ...STAMP }, modRevision: outcome.revision });
      for (const gone of alongside.deletes ?? []) this.#forget(gone.key);
      if (hold) this.#holdIsGone();
      return { kind: 'written' };
    }
    return this.#conflict(step, outcome.entries, puts.length, alongside.deletes?.length ?? 0, hold);
  }

  /**
   * A hold stays visible until something it may have held is through, and as long as something of
   * this run fails.
   */
  #holdToRemove(state: StepState): HeldBy | null {
    if (this.holdRule === 'keep') return null;
    return state === 'started' && this.holdRule !== 'release' ? null : this.#hold;
  }

  #holdIsGone(): void {
    this.#hold = null;
    this.holdRule = 'until-progress';
  }

  #forget(key: string): void {
    const prefix = this.#options.keys.journalOf(this.#options.intent.record.opId);
    if (key.startsWith(prefix)) this.#kept.delete(key.slice(prefix.length));
  }

  #changed<R extends StepRecord>(step: string, change: JournalChange<R>): Unstamped {
    const { intent, term, wallMs } = this.#options;
    const before = this.#kept.get(step)?.record;
    const open = change.state === 'started';
    const earlier =
      before?.state === 'started' && before.result ? shaped(progressSchema, step, 'result', before.result) : null;
    const progress = {
      ...earlier,
      sends: change.sends ?? earlier?.sends ?? {},
      noted: change.noted
        ? { ...carried(this.#shapesOf(step).noted, earlier?.noted), ...change.noted }
        : earlier?.noted,
    };
    return {
      ...(before && carriedFields(JournalRecordSchema, before)),
      opId: intent.record.opId,
      step,
      state: change.state,
      term: term.number,
      startedAtWallMs: before?.startedAtWallMs ?? wallMs(),
      endedAtWallMs: open ? null : wallMs(),
      request: (change.request as Record<string, unknown> | undefined) ?? before?.request ?? null,
      result: open ? progress : ((change.result as Record<string, unknown> | undefined) ?? null),
      error: change.error ?? null,
    };
  }

  #conflict(
    step: string,
    entries: readonly (KvEntry | null)[],
    putCount: number,
    deleteCount: number,
    hold: HeldBy | null,
  ): JournalWrite {
    const { intent } = this.#options;
    if ((entries.at(-1)?.modRevision ?? 0) !== intent.modRevision) throw new IntentGone('the intent has changed');
    if (this.#excludesIntent && (entries.at(-2)?.modRevision ?? 0) !== 0)
      throw new IntentGone('a recovery of the member is under way');
    const [own = null, ...others] = entries;
    if ((own?.modRevision ?? 0) !== this.modRevision(step)) {
      if (own) this.#keep(own);
      else this.#kept.delete(step);
      return { kind: 'stale' };
    }
    const held = hold ? others[putCount + deleteCount] : null;
    // Somebody else rewrote or removed the hold: it is not ours to delete any more.
    if (hold && (held?.modRevision ?? 0) !== hold.modRevision) {
      this.#holdIsGone();
      return { kind: 'stale' };
    }
    return { kind: 'conflict', entries: others.slice(0, putCount + deleteCount) };
  }
}

type Unstamped = Omit<JournalRecord, 'schemaVersion' | 'writeId' | 'writtenBy' | 'writtenAtWallMs'>;

/** Stands in for what the term stamps; nobody reads it from memory. */
const STAMP = { schemaVersion: 1, writeId: 'own', writtenBy: 'own', writtenAtWallMs: 0 } as const;
