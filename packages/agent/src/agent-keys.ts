import {
  type Clock,
  errorText,
  type Log,
  type Mac,
  type MemberId,
  type MonotonicMs,
  parseKey,
  tagMatches,
  type Timer,
} from '@understudy/shared';
import type { KeyFiles } from './adapters/key-files.ts';
import {
  type AgentKey,
  beginKeys,
  choiceFor,
  KEEPS_CANDIDATE,
  type KeyRing,
  type KeySlot,
  noteAcked,
  offerKey,
  type Precedence,
  type StoredKeys,
  storedOf,
} from './core/key-ring.ts';

export interface SealingKey {
  readonly id: number;
  readonly mac: Mac;
}

/** The key that one coordinator is spoken to under, and the one to be tried beside it. */
export interface Sealing {
  readonly main: SealingKey;
  readonly alsoTry: SealingKey | null;
}

export type Opened = { readonly slot: KeySlot; readonly key: SealingKey } | 'not-ours' | 'bad-tag';

export interface AgentKeysParts {
  readonly member: MemberId;
  readonly configured: AgentKey;
  readonly targetCount: number;
  /** A coordinator that sends no ack for this long may have lost the key it was spoken to under. */
  readonly silentAfterMs: number;
  readonly reloadEveryMs: number;
  /** Null: nothing is stored and nothing is looked for (simulation). */
  readonly files: KeyFiles | null;
  readonly macOf: (key: Uint8Array) => Mac;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The member's keys at work: it looks for new ones, seals and opens datagrams, and keeps the ring
 * on disk. `core/key-ring.ts` decides which key to use when.
 */
export class AgentKeys {
  readonly #parts: AgentKeysParts;
  #ring: KeyRing;
  #sealing: Readonly<Record<KeySlot, SealingKey | null>>;
  #begunAtMs = Number.POSITIVE_INFINITY;
  #wasGood = false;
  #timer: Timer | null = null;
  #reading: Promise<void> | null = null;
  #lastRefusal = '';
  #waiting: number | null = null;
  /** The newest ring that is not on disk yet. It is tried again at every look. */
  #unstored: StoredKeys | null = null;
  #writing: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: AgentKeysParts) {
    this.#parts = parts;
    this.#ring = beginKeys(null, parts.configured, parts.member, parts.targetCount);
    this.#sealing = this.#macs();
  }

  /** Ids in use: the current key's and the candidate's. For logs and tests. */
  get ids(): { readonly current: number; readonly candidate: number | null } {
    return { current: this.#ring.current.id, candidate: this.#ring.candidate?.id ?? null };
  }

  /**
   * Called before the first heartbeat, with the keys on the disk. Then looks for new keys for as
   * long as the agent runs.
   */
  begin(stored: StoredKeys | null): void {
    const { configured, member, targetCount, clock, log } = this.#parts;
    this.#begunAtMs = clock.monotonicMs();
    this.#setRing(beginKeys(stored, configured, member, targetCount));
    const { current, candidate } = this.ids;
    log.info('keys.begin', { keyId: current, tries: candidate, configured: configured.id, stored: stored !== null });
    if (this.#parts.files) void this.reload();
  }

  /**
   * Offers keys that a disk which hung at the start handed over late. They are tried like any other
   * key.
   */
  offerStored({ member, current, candidate }: StoredKeys): void {
    if (member !== this.#parts.member) return;
    for (const key of [candidate, current]) if (key) this.#offer(key, KEEPS_CANDIDATE, 'keys.json');
  }

  /**
   * Looks at the key files now (SIGHUP) and again every `reloadEveryMs`. One look at a time; never
   * rejects.
   */
  reload(): Promise<void> {
    const { files, clock, reloadEveryMs } = this.#parts;
    this.#timer?.cancel();
    if (this.#stopped || !files) return Promise.resolve();
    this.#timer = clock.setTimer(reloadEveryMs, () => void this.reload());
    this.#reading ??= this.#look(files).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #look(files: KeyFiles): Promise<void> {
    const { clock, log } = this.#parts;
    try {
      const { next, configured } = await files.readOffered();
      const precedence = { nowMs: clock.monotonicMs(), begunAtMs: this.#begunAtMs };
      if (next) this.#offer(next, precedence, 'next key file');
      this.#offer(configured ?? this.#parts.configured, KEEPS_CANDIDATE, 'configuration');
      this.#lastRefusal = '';
    } catch (error) {
      const refusal = errorText(error);
      if (refusal !== this.#lastRefusal) log.error('key.refused', { error: refusal, goesOnWith: this.ids });
      this.#lastRefusal = refusal;
    }
    this.#write(files);
  }

  #offer(key: AgentKey, precedence: Precedence, from: string): void {
    const { ring, outcome } = offerKey(this.#ring, key, precedence);
    if (outcome === 'waits' && precedence !== KEEPS_CANDIDATE) this.#noteWaiting(key);
    if (outcome !== 'taken') return;
    this.#setRing(ring);
    this.#parts.log.info('key.tried', { keyId: key.id, beside: ring.current.id, from });
  }

  #noteWaiting({ id }: AgentKey): void {
    if (this.#waiting === id) return;
    this.#waiting = id;
    this.#parts.log.warn('key.waits', { keyId: id, until: 'all coordinators hold the one being tried', ...this.ids });
  }

  /** The keys for the coordinator with this index. */
  sealing(target: number, nowMs: MonotonicMs): Sealing {
    const { main, alsoTry } = choiceFor(this.#ring, target, nowMs, this.#parts.silentAfterMs);
    return { main: this.#key(main), alsoTry: alsoTry && this.#key(alsoTry) };
  }

  /** Opens by the tag, not by the id alone, because two keys may carry the same id. */
  open(payload: Uint8Array, keyId: number): Opened {
    let known = false;
    for (const slot of SLOTS) {
      const key = this.#sealing[slot];
      if (key?.id !== keyId) continue;
      if (tagMatches(payload, key.mac)) return { slot, key };
      known = true;
    }
    return known ? 'bad-tag' : 'not-ours';
  }

  /**
   * Notes a fresh ack. `target` -1: it came from none of the configured coordinators, and says
   * nothing about any.
   */
  noteAcked(target: number, slot: KeySlot, name: string, nowMs: MonotonicMs): void {
    const { ring, change } = noteAcked(this.#ring, target, slot, nowMs, this.#parts.silentAfterMs);
    const first = !this.#wasGood;
    this.#wasGood = true;
    if (change === 'none') this.#ring = ring;
    else {
      this.#setRing(ring);
      const { log } = this.#parts;
      const fields = { keyId: ring.current.id, candidate: this.ids.candidate, coordinator: name };
      if (change === 'adopted') log.info('key.adopted', fields);
      else if (change === 'coordinator-moved') log.info('key.coordinator-moved', fields);
      else log.warn('key.coordinator-fell-back', fields);
    }
    if (first) this.#store();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #key(slot: KeySlot): SealingKey {
    const key = this.#sealing[slot] ?? this.#sealing.current;
    if (!key) throw new Error('no current key');
    return key;
  }

  #setRing(ring: KeyRing): void {
    const { current, candidate } = this.#ring;
    this.#ring = ring;
    if (ring.current === current && ring.candidate === candidate) return;
    this.#sealing = this.#macs();
    if (this.#wasGood) this.#store();
  }

  /**
   * Stores the ring only once a coordinator has acknowledged a key of it. A key that nobody ever
   * knew must not outlive its configuration.
   */
  #store(): void {
    const { files, member } = this.#parts;
    if (!files || this.#stopped) return;
    this.#unstored = storedOf(this.#ring, member);
    this.#write(files);
  }

  /**
   * Writes one ring at a time, the newest last. Nothing waits for it, because what the ring says is
   * in force already.
   */
  #write(files: KeyFiles): void {
    const keys = this.#unstored;
    if (this.#writing || !keys) return;
    this.#unstored = null;
    this.#writing = files.writeStored(keys).then(
      () => {
        this.#writing = null;
        this.#write(files);
      },
      (error: unknown) => {
        this.#writing = null;
        this.#unstored ??= keys;
        this.#parts.log.error('keys.unwritten', { error: errorText(error) });
      },
    );
  }

  #macs(): Readonly<Record<KeySlot, SealingKey | null>> {
    const keyOf = (key: AgentKey | null) =>
      key && { id: key.id, mac: this.#parts.macOf(parseKey(key.hex, `key ${key.id}`)) };
    return { current: keyOf(this.#ring.current), candidate: keyOf(this.#ring.candidate) };
  }
}

const SLOTS: readonly KeySlot[] = ['current', 'candidate'];
