import {
  type Clock,
  durationText,
  type ErrorCode,
  errorText,
  type Keyspace,
  type Log,
  type Problem,
  problemOf,
  RecurringFailure,
  type StoreAlarm,
} from '@understudy/shared';
import type { StoreRefusal, WatchedStore } from './watched-store.ts';

/** How often the proof is checked for being due, in ms. */
const LOOK_EVERY_MS = 5_000;
/**
 * Writing is rehearsed when nothing was written for this long. With three coordinators that is at
 * most 0.3 requests a second for all of etcd.
 */
const QUIET_MS = 10_000;
/** Permission is rehearsed at least this often, because ordinary writes touch few areas. */
const REHEARSE_EVERY_MS = 60_000;
/**
 * etcd counts as not writable when no write was taken for this long, three rehearsals among them.
 */
const UNPROVEN_MS = 30_000;
const ALARMS_EVERY_MS = 60_000;
/** Largest number of refused areas that a problem names. */
const NAMED_MAX = 16;

const ALARM_CODES: Readonly<Record<StoreAlarm, ErrorCode>> = { NOSPACE: 'STORE_NO_SPACE', CORRUPT: 'STORE_CORRUPT' };

/**
 * One key per area that a coordinator writes: all but `groups` and `pauses`, which are a person's.
 */
export const writtenKeys = (keys: Keyspace): readonly string[] => [
  keys.leader,
  keys.judge,
  keys.findings,
  keys.level,
  keys.transfer,
  ...[keys.coordinators, keys.opinions, keys.judgements, keys.members, keys.policies].map(rehearsalKey),
  ...[keys.activations, keys.intents, keys.journal, keys.holds, keys.requests, keys.history].map(rehearsalKey),
  ...[keys.audit, keys.answers, keys.drains, keys.outbox, keys.undelivered].map(rehearsalKey),
  ...[keys.preparations, keys.prepared, keys.enrolments, keys.deeds].map(rehearsalKey),
];
/**
 * Areas that only explain: no recovery reads them, and each is written in transactions of its own.
 * One that is written beside records of a recovery must not be among them.
 */
export const explainingAreas = (keys: Keyspace): readonly string[] => [keys.deeds];

const rehearsalKey = (area: string): string => `${area}.rehearsal`;

/**
 * Proves that etcd takes our writes, at a slow pace and without writing. Reads, watches and
 * keepalives go on when etcd is out of space or corrupt, or when our role only reads. An ordinary
 * write is proof enough; without one, writing is rehearsed ({@link WatchedStore.rehearse}). Alarms
 * are asked for beside it.
 */
export class WriteProof {
  readonly #store: WatchedStore;
  readonly #keys: Keyspace;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #refused: RecurringFailure;
  #alarms: readonly StoreAlarm[] = [];
  #rehearsedAtMs = Number.NEGATIVE_INFINITY;
  #alarmsAskedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(options: {
    readonly store: WatchedStore;
    readonly keys: Keyspace;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#store = options.store;
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#refused = new RecurringFailure({ ...options, event: 'store.writes_refused', level: 'error' });
  }

  /** Begins in the background. Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('write proof closed'));
    await this.#running;
  }

  get alarms(): readonly StoreAlarm[] {
    return this.#alarms;
  }

  /**
   * What keeps us from writing, one problem per cause. Empty while writes work. What nothing rests
   * on is among {@link remarks}.
   */
  problems(): readonly Problem[] {
    const byCode = new Map<ErrorCode, string[]>();
    for (const { code, text } of this.#refusals()) byCode.set(code, [...(byCode.get(code) ?? []), text]);
    for (const alarm of this.#alarms)
      if (!byCode.has(ALARM_CODES[alarm])) byCode.set(ALARM_CODES[alarm], [`alarm ${alarm} is raised`]);
    const problems = [...byCode].map(([code, texts]) => problemOf(code, shortened(texts)));
    const unproven = this.#unproven();
    return problems.length === 0 && unproven !== null ? [problemOf('STORE_NOT_WRITABLE', unproven)] : problems;
  }

  /**
   * Refusals of areas on which nothing rests ({@link explainingAreas}): a role that was made for an
   * older build lacks them at first. They are shown, and hold nobody back.
   */
  remarks(): readonly Problem[] {
    const areas = explainingAreas(this.#keys);
    const minor = this.#store.refusals.filter(({ place }) => areas.includes(place));
    const byCode = Map.groupBy(minor, ({ code }) => code);
    return [...byCode].map(([code, some]) =>
      problemOf(code, `${some.map(({ text }) => text).join('; ')} (it only explains: recoveries go on)`),
    );
  }

  /**
   * The same as {@link problems} in one line, for callers that must not decide meanwhile. Null
   * while writes work. A single call that etcd took for malformed is no trouble of etcd's.
   */
  trouble(): string | null {
    const [first] = this.problems().filter(({ code }) => code !== 'STORE_REJECTED');
    return first ? `etcd does not take writes: ${first.code}: ${first.text}` : null;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#rehearseIfDue();
      await this.#askForAlarmsIfDue();
      this.#say();
      await this.#clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async #rehearseIfDue(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const quiet = nowMs - this.#store.writeProvenAtMs >= QUIET_MS;
    const refused = this.#refusals().length > 0;
    if (!quiet && !refused && nowMs - this.#rehearsedAtMs < REHEARSE_EVERY_MS) return;
    this.#rehearsedAtMs = nowMs;
    const keys = writtenKeys(this.#keys);
    if ((await this.#store.rehearse(this.#keys.leader, keys)) !== 'denied') return;
    const explaining = explainingAreas(this.#keys).map(rehearsalKey);
    for (const key of explaining) await this.#store.rehearse(this.#keys.leader, [key]);
    const needed = keys.filter((key) => !explaining.includes(key));
    if ((await this.#store.rehearse(this.#keys.leader, needed)) !== 'denied') return;
    for (const key of needed) await this.#store.rehearse(this.#keys.leader, [key]);
  }

  async #askForAlarmsIfDue(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const isCalm = this.#alarms.length === 0 && this.#refusals().length === 0;
    if (isCalm && nowMs - this.#alarmsAskedAtMs < ALARMS_EVERY_MS) return;
    this.#alarmsAskedAtMs = nowMs;
    try {
      // Null means that we may not ask. Refusals will tell as much, later.
      this.#alarms = (await this.#store.alarms()) ?? [];
    } catch (error) {
      this.#log.debug('store.alarms_unreadable', { error: errorText(error) });
    }
  }

  #say(): void {
    const [first] = [...this.problems(), ...this.remarks()];
    if (!first) this.#refused.worked();
    else this.#refused.failed(new Error(first.text), { code: first.code, remedy: first.remedy });
  }

  /** Those that keep us from our work. */
  #refusals(): readonly StoreRefusal[] {
    const areas = explainingAreas(this.#keys);
    return this.#store.refusals.filter(({ place }) => !areas.includes(place));
  }

  #unproven(): string | null {
    const agoMs = this.#clock.monotonicMs() - this.#store.writeProvenAtMs;
    if (this.#running === null || agoMs < UNPROVEN_MS) return null;
    const why = this.#store.lastFailure ?? 'none was answered';
    return `no write was confirmed for ${durationText(agoMs)}: ${why}`;
  }
}

const shortened = (texts: readonly string[]): string =>
  [...texts.slice(0, NAMED_MAX), ...(texts.length > NAMED_MAX ? [`and ${texts.length - NAMED_MAX} more`] : [])].join(
    '; ',
  );
