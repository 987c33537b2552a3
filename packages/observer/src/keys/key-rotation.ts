import {
  type Clock,
  deriveAgentKey,
  errorText,
  keyFingerprint,
  type Log,
  type Problem,
  problemOf,
  type Timer,
} from '@understudy/shared';
import { decideKeyChange, type KeySet, someOf } from '../core/key-change.ts';
import type { KeyOf } from '../core/tag-verifier/keyring.ts';
import type { ObserverTable } from '../core/observer-table.ts';

export interface OfferedKeys {
  /** Key id → master secret, oldest first. */
  readonly masters: ReadonlyMap<number, Uint8Array>;
  /** Ids that may go although members still speak with them. */
  readonly forced: readonly number[];
}

export interface KeySource {
  /**
   * `isAsked`: a person wants it now.
   * @throws CONFIG_INVALID or KEY_INVALID naming the file; nothing of it is taken then.
   */
  read(how: { readonly isAsked: boolean }): Promise<OfferedKeys>;
}

export interface KeyRotationOptions {
  readonly table: ObserverTable;
  readonly masters: ReadonlyMap<number, Uint8Array>;
  /** null: the keys stay as they are for the life of the process. */
  readonly source: KeySource | null;
  readonly everyMs: number;
  /** Called with the master secrets when they have changed. */
  readonly onMasters?: (masters: ReadonlyMap<number, Uint8Array>) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export const keyOfMasters =
  (masters: ReadonlyMap<number, Uint8Array>): KeyOf =>
  (keyId, member) => {
    const master = masters.get(keyId);
    return master ? deriveAgentKey(master, keyId, member) : null;
  };

const marksOf = (masters: ReadonlyMap<number, Uint8Array>): KeySet =>
  new Map([...masters].map(([id, master]) => [id, keyFingerprint(master, id)]));

/**
 * Takes over a changed set of master secrets while heartbeats go on. What cannot be read, or may
 * not be dropped, changes nothing: it is logged once, shown as a problem, and looked at again.
 */
export class KeyRotation {
  readonly #options: KeyRotationOptions;
  #marks: KeySet;
  #problem: Problem | null = null;
  #timer: Timer | null = null;
  #reading: Promise<void> | null = null;
  /** Somebody has asked for a look that has not begun. */
  #wanted = false;
  #stopped = false;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
    this.#marks = marksOf(options.masters);
  }

  /** Why the keys on disk are not the ones in use; null while they are. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** The ids we accept, oldest first, with what tells secrets apart without telling them. */
  get accepted(): readonly { readonly id: number; readonly fingerprint: string }[] {
    return [...this.#marks].map(([id, fingerprint]) => ({ id, fingerprint }));
  }

  start(): void {
    const { source, clock, everyMs } = this.#options;
    if (source && !this.#stopped) this.#timer = clock.setTimer(everyMs, () => void this.reload(false));
  }

  /** Looks now (SIGHUP), and again after `everyMs`. One look at a time; never rejects. */
  reload(isAsked = true): Promise<void> {
    const { source } = this.#options;
    this.#timer?.cancel();
    if (!source || this.#stopped) return Promise.resolve();
    this.start();
    // A look that goes on may have read already: who asks for one gets another, after it.
    this.#wanted ||= isAsked;
    this.#reading ??= this.#looks(source).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #looks(source: KeySource): Promise<void> {
    do {
      const isAsked = this.#wanted;
      this.#wanted = false;
      await this.#look(source, isAsked);
    } while (this.#wanted && !this.#stopped);
  }

  async #look(source: KeySource, isAsked: boolean): Promise<void> {
    try {
      const offered = await source.read({ isAsked });
      if (!this.#stopped) this.#consider(offered);
    } catch (error) {
      this.#refuse(errorText(error));
    }
  }

  #consider({ masters, forced }: OfferedKeys): void {
    const { table, clock, log } = this.#options;
    const marks = marksOf(masters);
    const nowMs = clock.monotonicMs();
    const change = decideKeyChange(this.#marks, marks, (id) => table.usersOf(id, nowMs), forced);
    if (change.kind === 'refuse') return this.#refuse(change.text);
    this.#problem = null;
    if (change.kind === 'same') return;
    const { added, dropped, kept, lost } = change;
    table.setKeys({ keyIds: [...masters.keys()], keyOf: keyOfMasters(masters), kept });
    this.#marks = marks;
    this.#options.onMasters?.(masters);
    log.info('keys.changed', { accepted: this.accepted, added, dropped });
    if (lost.length > 0) log.error('keys.members_lost', { dropped, count: lost.length, members: someOf(lost) });
  }

  #refuse(text: string): void {
    if (this.#problem?.text !== text)
      this.#options.log.error('keys.refused', { error: text, accepted: this.accepted, remedy: 'docs/key-rotation.md' });
    this.#problem = problemOf('KEYS_REFUSED', text);
  }
}
