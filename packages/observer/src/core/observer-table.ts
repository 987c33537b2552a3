import {
  CHECK_AREA_BYTES,
  CHECK_SLOT_COUNT,
  CHECK_STATUSES,
  coordinatorHashOf,
  type Endpoint,
  type HeartbeatSource,
  instanceHashOf,
  type MemberId,
  monotonicMs,
  type MonotonicMs,
  type ProbeReport,
  readServePromise,
} from '@understudy/shared';
import type { ActivationSource } from './activation-source.ts';
import { type SlowAgent, slowAgents } from './cadence.ts';
import { ENTRY_FLAG, isHeard } from './columns.ts';
import { type HeardColumns, heardColumns } from './heard.ts';
import { phiOf } from './silence.ts';
import { type Hearing, hearing } from './local-health.ts';
import { Ingest } from './ingest.ts';
import { markRetired, memberKeyOf, usersOfKey } from './key-change.ts';
import { ObserverState } from './observer-state.ts';
import type { RefusedClaim } from './refused-claims.ts';
import { applyRoster } from './apply-roster.ts';
import { ServiceWatch } from './service-watch.ts';
import type { ProbeRoom, ServiceOrder } from './service-types.ts';
import {
  type Abstention,
  DEFAULT_OBSERVER_SETTINGS,
  type MemberKey,
  type ObservedReading,
  type ObserverSettings,
  type Opinion,
  type ProbeOrder,
  type ProbeOutcome,
  type ReceiveOutcome,
  type ReceiveResult,
  type TimedCheckReading,
  type WatchedMember,
} from './types.ts';
import type { TagScheme } from './tag-verifier/hmac-midstate.ts';
import { type KeyOf, Keyring } from './tag-verifier/keyring.ts';
import { tagVerifier } from './tag-verifier/tag-verifier.ts';
import { type Unexpected, unexpectedOf } from './unexpected.ts';
import { FailureDetector, type TickReport } from './failure-detector.ts';

export interface ObserverTableOptions {
  readonly coordinatorId: string;
  readonly startedAtMs: MonotonicMs;
  /** At least 16 random bytes, fresh for each process. */
  readonly nonce: Uint8Array;
  /** One or two, oldest first. */
  readonly keyIds: readonly number[];
  readonly keyOf: KeyOf;
  readonly activations: ActivationSource;
  readonly settings?: Partial<ObserverSettings>;
  /** Default, and only safe choice: HMAC. */
  readonly tags?: TagScheme;
}

const NOTHING_WAITS = () => undefined;

/**
 * What one coordinator has heard. Synchronous, no I/O, no clock: datagrams and moments go in;
 * opinions, acks and probes to send come out. Whatever arrives, nothing here throws. One row per
 * (member, instance): the predecessor and the replacement of one member share a key.
 */
export class ObserverTable implements HeartbeatSource {
  readonly settings: ObserverSettings;
  readonly #state: ObserverState;
  readonly #keyring: Keyring;
  readonly #detector: FailureDetector;
  readonly #services: ServiceWatch;
  readonly #coordinatorHash: number;
  /** For {@link HeartbeatBatch}; others use {@link receive}. */
  readonly ingest: Ingest;

  constructor(options: ObserverTableOptions) {
    if (options.nonce.length < 16)
      throw new RangeError(`want a nonce of at least 16 bytes, got ${options.nonce.length}`);
    this.settings = { ...DEFAULT_OBSERVER_SETTINGS, ...options.settings };
    this.#state = new ObserverState(this.settings);
    this.#keyring = new Keyring(options.keyIds, options.keyOf, options.tags);
    this.#coordinatorHash = coordinatorHashOf(options.coordinatorId);
    this.ingest = new Ingest(
      {
        state: this.#state,
        keyring: this.#keyring,
        verifier: tagVerifier(this.#keyring, options.tags),
        activations: options.activations,
      },
      { coordinatorHash: this.#coordinatorHash, nonce: options.nonce },
    );
    this.#detector = new FailureDetector(this.#state, options.startedAtMs);
    this.#services = new ServiceWatch(this.#state);
  }

  /**
   * Watch exactly these. Cheap when little changed; call it when membership, an activation or a
   * policy changed.
   */
  setRoster(roster: readonly WatchedMember[], nowMs: MonotonicMs): void {
    applyRoster(this.#state, this.#keyring, roster, nowMs);
    this.#detector.fastestSuspectAfterMs = roster.reduce(
      (fastest, watched) => Math.min(fastest, watched.suspectAfterMs),
      Number.POSITIVE_INFINITY,
    );
  }

  get keyIds(): readonly number[] {
    return this.#keyring.keyIds;
  }

  /**
   * Other keys from now on, at most two; `kept` names the ids whose secret stays the same. What was
   * last heard under any other key is marked: its silence counts for nothing until it is heard
   * again (opinion `unknown`, `KeyRetired`). Whether to do this at all: `decideKeyChange`.
   */
  setKeys(keys: {
    readonly keyIds: readonly number[];
    readonly keyOf: KeyOf;
    readonly kept: ReadonlySet<number>;
  }): void {
    this.#keyring.replace(keys.keyIds, keys.keyOf, keys.kept);
    markRetired(this.#state, new Set(keys.keyIds.filter((keyId) => keys.kept.has(keyId))));
  }

  /**
   * Every watched member's activated instance. O(members): for status pages and decisions about
   * keys.
   */
  memberKeys(): readonly MemberKey[] {
    return [...this.#state.slots.values()].map((slot) => memberKeyOf(this.#state, slot));
  }

  /**
   * Members that would no longer be understood without this key: those last heard under it, or with
   * another instance heard lately under it.
   */
  usersOf(keyId: number, nowMs: MonotonicMs): readonly MemberId[] {
    return usersOfKey(this.#state, keyId, nowMs);
  }

  /**
   * One datagram. `payload` is not kept. `heardAtMs`: when it came in; it is what silence is
   * counted from, however long the datagram waited for us since. `nowMs` (default: the same): paces
   * acks.
   */
  receive(payload: Uint8Array, from: Endpoint, heardAtMs: MonotonicMs, nowMs = heardAtMs): ReceiveResult {
    return this.ingest.receive(payload, from, heardAtMs, nowMs);
  }

  /**
   * Call every `settings.tickMs`, even when nothing happened: a gap is how a stall of our own is
   * found. `listenedAtMs`: until when the receiver surely listened. `hear`: records what was
   * received until now. It runs after stalls were looked for and before anybody is judged, so that
   * nobody is accused of a silence that only waits to be read.
   */
  tick(nowMs: MonotonicMs, listenedAtMs: MonotonicMs = nowMs, hear: () => void = NOTHING_WAITS): TickReport {
    const found = this.#detector.findStall(nowMs, listenedAtMs);
    hear();
    this.#detector.judge(nowMs);
    this.#services.tick(nowMs, this.abstention !== null);
    return { ...found, abstention: this.abstention };
  }

  /** Datagrams were lost on our side since the last call (kernel drops grew). */
  noteReceiveLoss(nowMs: MonotonicMs): void {
    this.#detector.noteLoss(nowMs);
  }

  /** Probes to send now. Each is planned once; report what became of it to {@link probeResult}. */
  planProbes(nowMs: MonotonicMs): readonly ProbeOrder[] {
    return this.#detector.planProbes(this.ingest, this.#keyring, this.#coordinatorHash, nowMs);
  }

  /**
   * Looks at services to make now, silent members first; each is given once. Report what became of
   * it to {@link serviceResult}.
   */
  planServiceProbes(nowMs: MonotonicMs, room: ProbeRoom): readonly ServiceOrder[] {
    return this.#services.plan(nowMs, this.abstention !== null, room);
  }

  serviceResult(order: ServiceOrder, report: ProbeReport, nowMs: MonotonicMs): void {
    this.#services.result(order, report, nowMs);
  }

  probeResult(order: ProbeOrder, outcome: ProbeOutcome, nowMs: MonotonicMs): void {
    this.#detector.probeResult(order, outcome, nowMs);
  }

  /**
   * Opinions that changed since the last call. During warm-up those about agents not heard yet are
   * kept back.
   */
  takeChanges(): readonly Opinion[] {
    const warmingUp = this.abstention?.reason === 'WarmingUp';
    return this.#state.takeChanges((opinion) => warmingUp && opinion.verdict === 'unknown');
  }

  opinions(): readonly Opinion[] {
    return [...this.#state.slots.values()].map((slot) => this.#state.opinion(slot));
  }

  opinion(member: MemberId): Opinion | null {
    const slot = this.#state.slots.get(member);
    return slot === undefined ? null : this.#state.opinion(slot);
  }

  /**
   * Datagrams of the last minute that claim to be this member and are not authentic: a hint, never
   * evidence.
   */
  refused(member: MemberId, nowMs: MonotonicMs): RefusedClaim | null {
    return this.ingest.refused.of(member, nowMs);
  }

  /**
   * What is odd about heartbeats of now for this member; `expected`: every address its activated
   * instance has, empty: not known.
   */
  unexpected(member: MemberId, expected: readonly string[], nowMs: MonotonicMs): readonly Unexpected[] {
    const slot = this.#state.slots.get(member);
    return slot === undefined ? [] : unexpectedOf(this.#state, slot, expected, nowMs);
  }

  abstains(): boolean {
    return this.abstention !== null;
  }

  /** Non-null while this observer accuses nobody; what it hears stays true evidence of life. */
  get abstention(): Abstention | null {
    return this.#detector.abstention;
  }

  /** Counted now, O(members): for status pages, not for every datagram. */
  hearing(nowMs: MonotonicMs): Hearing {
    return hearing(this.#state, this.#detector.fastestSuspectAfterMs, nowMs);
  }

  /** Age and φ of the activated instances of these members, for people; O(members). */
  heardColumns(members: readonly MemberId[], nowMs: MonotonicMs): HeardColumns {
    return heardColumns(this.#state, members, nowMs);
  }

  /** Agents that speak too seldom for their policy; O(members): for status pages. */
  slowAgents(): readonly SlowAgent[] {
    return slowAgents(this.#state);
  }

  get watchedCount(): number {
    return this.#state.slots.size;
  }

  get counts(): Readonly<Record<ReceiveOutcome, number>> {
    return this.ingest.counts;
  }

  /**
   * Works from the first confirmed heartbeat on, also for an instance the roster does not name
   * (yet).
   */
  reading(member: MemberId, instanceId: string, nowMs?: MonotonicMs): ObservedReading | null {
    const slot = this.#state.slots.get(member);
    if (slot === undefined) return null;
    const hash = instanceHashOf(instanceId);
    const { entries } = this.#state;
    const entry = this.#state.entryOf(slot, Number.parseInt(hash.slice(0, 8), 16), Number.parseInt(hash.slice(8), 16));
    if (!isHeard(entries, entry)) return null;
    const flags = entries.flags[entry] as number;
    const lastHeardAtMs = monotonicMs(entries.lastHeardMs[entry] as number);
    return {
      lastHeardAtMs,
      passingSinceMs: (flags & ENTRY_FLAG.passing) !== 0 ? monotonicMs(entries.passingSinceMs[entry] as number) : null,
      bootEpoch: (BigInt(entries.epochHi[entry] as number) << 32n) | BigInt(entries.epochLo[entry] as number),
      serving: (flags & ENTRY_FLAG.serving) !== 0,
      goodbye: (flags & ENTRY_FLAG.goodbye) !== 0,
      checks: this.#checks(entry),
      servePromise: readServePromise(entries.checks, entry * CHECK_AREA_BYTES + CHECK_SLOT_COUNT * 4),
      phi: phiOf(
        (nowMs ?? lastHeardAtMs) - lastHeardAtMs,
        entries.meanMs[entry] as number,
        Math.sqrt(entries.variance[entry] as number),
      ),
    };
  }

  #checks(entry: number): TimedCheckReading[] {
    const { checks, failing } = this.#state.entries;
    return Array.from({ length: CHECK_SLOT_COUNT }, (_, slot) => {
      const at = entry * CHECK_AREA_BYTES + slot * 4;
      return {
        status: CHECK_STATUSES[checks[at] as number] ?? 'unknown',
        code: checks[at + 1] as number,
        ageSeconds: ((checks[at + 2] as number) << 8) | (checks[at + 3] as number),
        failingSinceMs: failing.sinceMs(entry, slot) as MonotonicMs | null,
      };
    });
  }
}
