import type { MemberId } from '@understudy/shared';
import { FailingChecks } from './failing-checks.ts';
import { LongGaps } from './long-gaps.ts';

/**
 * Flat storage: one array per field, so that watching 100 000 agents costs bytes, not objects.
 * Growth is by an eighth.
 */

type Numbers = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Uint8Array;

function grown<T extends Numbers>(old: T, length: number): T {
  const bigger: T = Reflect.construct(old.constructor, [length]);
  bigger.set(old);
  return bigger;
}

const enlarged = (capacity: number): number => capacity + Math.max(16, Math.ceil(capacity / 8));

export const NONE = -1;
/** No key id: those are 1-255. */
export const NO_KEY = 0;

/** One row (*slot*) per watched member. */
export class MemberColumns {
  count = 0;
  capacity = 0;
  readonly ids: (MemberId | null)[] = [];
  readonly activeIds: (string | null)[] = [];
  agentId = new Uint8Array(0);
  suspectAfterMs = new Uint32Array(0);
  confirmForMs = new Uint32Array(0);
  /** The interval that its agent is asked for, in `HEARTBEAT_INTERVAL_STEP_MS`. */
  heartbeatIntervalSteps = new Uint8Array(0);
  activeHashHi = new Uint32Array(0);
  activeHashLo = new Uint32Array(0);
  /** Entry of the activated instance, {@link NONE} before it was heard of. */
  activeEntry = new Int32Array(0);
  firstEntry = new Int32Array(0);
  /** When to look at this member again; what the idle tick scans. */
  dueAtMs = new Float64Array(0);
  sinceMs = new Float64Array(0);
  verdict = new Uint8Array(0);
  reason = new Uint8Array(0);
  /** Bits: see `MEMBER_FLAG`. */
  flags = new Uint8Array(0);
  readonly #free: number[] = [];

  take(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.count === this.capacity) this.reserve(enlarged(this.capacity));
    return this.count++;
  }

  release(slot: number): void {
    this.ids[slot] = null;
    this.activeIds[slot] = null;
    this.activeEntry[slot] = NONE;
    this.dueAtMs[slot] = Number.POSITIVE_INFINITY;
    this.#free.push(slot);
  }

  reserve(capacity: number): void {
    if (capacity <= this.capacity) return;
    this.capacity = capacity;
    // Exact: an array that grows by assignment keeps half as much again in reserve.
    this.ids.length = capacity;
    this.activeIds.length = capacity;
    this.agentId = grown(this.agentId, capacity * 16);
    this.suspectAfterMs = grown(this.suspectAfterMs, capacity);
    this.confirmForMs = grown(this.confirmForMs, capacity);
    this.heartbeatIntervalSteps = grown(this.heartbeatIntervalSteps, capacity);
    this.activeHashHi = grown(this.activeHashHi, capacity);
    this.activeHashLo = grown(this.activeHashLo, capacity);
    this.activeEntry = grown(this.activeEntry, capacity);
    this.firstEntry = grown(this.firstEntry, capacity);
    this.dueAtMs = grown(this.dueAtMs, capacity);
    this.sinceMs = grown(this.sinceMs, capacity);
    this.verdict = grown(this.verdict, capacity);
    this.reason = grown(this.reason, capacity);
    this.flags = grown(this.flags, capacity);
  }
}

export const MEMBER_FLAG = {
  /** In the list of changes. */
  changed: 1,
  /** In the roster being set right now. */
  marked: 2,
  /** Dead for so long that it no longer counts among "agents heard before". */
  settled: 4,
  /** A person calls its zone lost. */
  saidLost: 8,
  /** A part of it only. */
  saidPartlyLost: 16,
} as const;

/** One row per (member, instance) heard of. */
export class EntryColumns {
  count = 0;
  capacity = 0;
  readonly hashHex: string[] = [];
  /** IPv4 as a number (most agents), 0 = see {@link otherAddress}. */
  address4 = new Uint32Array(0);
  /** Addresses that are not IPv4, by entry. */
  readonly otherAddress = new Map<number, string>();
  port = new Uint16Array(0);
  next = new Int32Array(0);
  hashHi = new Uint32Array(0);
  hashLo = new Uint32Array(0);
  epochHi = new Uint32Array(0);
  epochLo = new Uint32Array(0);
  /** When the first authenticated datagram of that boot epoch came in. */
  epochHeardMs = new Float64Array(0);
  sequenceHi = new Uint32Array(0);
  sequenceLo = new Uint32Array(0);
  seenHi = new Uint32Array(0);
  seenLo = new Uint32Array(0);
  challengeHi = new Uint32Array(0);
  challengeLo = new Uint32Array(0);
  lastHeardMs = new Float64Array(0);
  /** As `lastHeardMs`, moved forward by our own stalls: what silence is counted from. */
  silentFromMs = new Float64Array(0);
  passingSinceMs = new Float64Array(0);
  lastAckMs = new Float64Array(0);
  meanMs = new Float32Array(0);
  variance = new Float32Array(0);
  /** When it last spoke of its own accord, ms modulo 2^32. */
  beatAtMs = new Uint32Array(0);
  /**
   * Gaps between the times it spoke, by entry; only of those with a long one, so that others cost
   * nothing.
   */
  readonly longGaps = new LongGaps();
  ackedIncarnation = new Uint32Array(0);
  ackedActivation = new Uint8Array(0);
  sinceAck = new Uint8Array(0);
  /**
   * Id of the key its last confirmed heartbeat was sealed with; {@link NO_KEY} once that key was
   * taken away from us.
   */
  keyId = new Uint8Array(0);
  /** Bits: see `ENTRY_FLAG`. */
  flags = new Uint8Array(0);
  /** 32 bytes each: check slots and serve promise as received. */
  checks = new Uint8Array(0);
  /** Per check, by entry; only of those with a failing one, so that healthy agents cost nothing. */
  readonly failing = new FailingChecks();
  readonly #free: number[] = [];

  take(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.count === this.capacity) this.reserve(enlarged(this.capacity));
    return this.count++;
  }

  release(entry: number): void {
    this.hashHex[entry] = '';
    this.address4[entry] = 0;
    this.otherAddress.delete(entry);
    this.flags[entry] = 0;
    this.failing.forget(entry);
    this.longGaps.forget(entry);
    this.#free.push(entry);
  }

  reserve(capacity: number): void {
    if (capacity <= this.capacity) return;
    this.capacity = capacity;
    // Exact: an array that grows by assignment keeps half as much again in reserve.
    this.hashHex.length = capacity;
    this.address4 = grown(this.address4, capacity);
    this.port = grown(this.port, capacity);
    this.next = grown(this.next, capacity);
    this.hashHi = grown(this.hashHi, capacity);
    this.hashLo = grown(this.hashLo, capacity);
    this.epochHi = grown(this.epochHi, capacity);
    this.epochLo = grown(this.epochLo, capacity);
    this.epochHeardMs = grown(this.epochHeardMs, capacity);
    this.sequenceHi = grown(this.sequenceHi, capacity);
    this.sequenceLo = grown(this.sequenceLo, capacity);
    this.seenHi = grown(this.seenHi, capacity);
    this.seenLo = grown(this.seenLo, capacity);
    this.challengeHi = grown(this.challengeHi, capacity);
    this.challengeLo = grown(this.challengeLo, capacity);
    this.lastHeardMs = grown(this.lastHeardMs, capacity);
    this.silentFromMs = grown(this.silentFromMs, capacity);
    this.passingSinceMs = grown(this.passingSinceMs, capacity);
    this.lastAckMs = grown(this.lastAckMs, capacity);
    this.meanMs = grown(this.meanMs, capacity);
    this.variance = grown(this.variance, capacity);
    this.beatAtMs = grown(this.beatAtMs, capacity);
    this.ackedIncarnation = grown(this.ackedIncarnation, capacity);
    this.ackedActivation = grown(this.ackedActivation, capacity);
    this.sinceAck = grown(this.sinceAck, capacity);
    this.keyId = grown(this.keyId, capacity);
    this.flags = grown(this.flags, capacity);
    this.checks = grown(this.checks, capacity * 32);
  }
}

export const ENTRY_FLAG = {
  /** Has echoed our challenge at least once. */
  heard: 1,
  /** A datagram was accepted into the replay window. */
  windowOpen: 2,
  serving: 4,
  goodbye: 8,
  /** All checks have passed since `passingSinceMs`. */
  passing: 16,
  /** The last heartbeat had a failing check: `failing` may have its clocks. */
  failing: 32,
} as const;

/** Has this instance ever sent a confirmed heartbeat? False for {@link NONE}. */
export const isHeard = (entries: EntryColumns, entry: number): boolean =>
  entry !== NONE && ((entries.flags[entry] as number) & ENTRY_FLAG.heard) !== 0;
