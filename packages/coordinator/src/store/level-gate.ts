import {
  FeatureLevelRecordSchema,
  type KvCompare,
  type KvEntry,
  type Log,
  parseRecord,
  type Problem,
  type Revision,
} from '@understudy/shared';
import { apartFrom, type Build, type LevelsSeen, THIS_BUILD } from './feature-level.ts';

/** The agreed level as it lies in etcd; revision 0: there is no record. */
export interface RecordedLevel {
  readonly recorded: LevelsSeen['recorded'];
  readonly modRevision: Revision;
}

/** A view of etcd that has the record in it. */
export interface LevelView {
  onChange(listener: (changedKeys: readonly string[]) => void): () => void;
  recordedLevel(): RecordedLevel;
}

export const NO_LEVEL: RecordedLevel = { recorded: null, modRevision: 0 };

export function recordedLevelIn(entry: KvEntry | null): RecordedLevel {
  if (entry === null) return NO_LEVEL;
  const { key, value, modRevision } = entry;
  try {
    return { recorded: parseRecord(FeatureLevelRecordSchema, key, value).level, modRevision };
  } catch {
    return { recorded: 'unreadable', modRevision };
  }
}

/**
 * Says whether this build may take part: be present, and so have opinions, and lead.
 *
 * **S** (S24): every transaction by which a coordinator begins to take part compares the record of
 * the agreed level. So none begins, however late its transaction lands, once a level was agreed on
 * that it does not understand. A coordinator that began before is seen by every one that knows of
 * the agreement.
 */
export class LevelGate {
  readonly #key: string;
  readonly #build: Build;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #known: RecordedLevel = NO_LEVEL;

  constructor(options: { readonly key: string; readonly build?: Build; readonly log: Log }) {
    this.#key = options.key;
    this.#build = options.build ?? THIS_BUILD;
    this.#log = options.log;
  }

  /**
   * Notes what was seen of the record, by our view of etcd or by a transaction that was refused. Of
   * two the newer one counts.
   */
  note(seen: RecordedLevel): void {
    const before = this.#known;
    if (seen.modRevision === before.modRevision || (seen.modRevision !== 0 && seen.modRevision < before.modRevision))
      return;
    const wasApart = this.problem();
    this.#known = seen;
    const isApart = this.problem();
    if (isApart && isApart.text !== wasApart?.text)
      this.#log.error('feature_level.apart', { ...isApart, agreed: seen.recorded });
    else if (wasApart && !isApart) this.#log.info('feature_level.joined', { agreed: seen.recorded });
    for (const listener of [...this.#listeners]) listener();
  }

  /** Takes note of the record in our view of etcd, from now on. */
  follow(view: LevelView): void {
    view.onChange((changed) => {
      if (changed.includes(this.#key)) this.note(view.recordedLevel());
    });
  }

  /** The compare for every transaction by which we take part. Null: we must not. */
  compare(): Extract<KvCompare, { modRevision: Revision }> | null {
    return this.problem() === null ? { key: this.#key, modRevision: this.#known.modRevision } : null;
  }

  problem(): Problem | null {
    return apartFrom(this.#known.recorded, this.#build);
  }

  /** Called when {@link compare} may be another one. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
