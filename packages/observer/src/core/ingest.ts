import {
  CHECK_AREA_BYTES,
  CHECK_SLOT_COUNT,
  CHECK_STATUSES,
  type Endpoint,
  FRAME_TYPE,
  FRAME_VERSION,
  HEARTBEAT_BYTES,
  HEARTBEAT_OFFSET,
  type MemberId,
} from '@understudy/shared';
import type { ActivationSource } from './activation-source.ts';
import { Acks } from './acks.ts';
import { setAddress } from './addresses.ts';
import { recordBeat, suspectAfterMsOf } from './cadence.ts';
import { ENTRY_FLAG, MEMBER_FLAG, NONE } from './columns.ts';
import { type Contest, mayAnswer, noteEcho, noteStale, noteTaken } from './contests.ts';
import type { ObserverState } from './observer-state.ts';
import { RefusedClaims } from './refused-claims.ts';
import { acceptSequence } from './replay-columns.ts';
import { MIDSTATE_WORDS, midstateMac, writeMidstate } from './tag-verifier/hmac-midstate.ts';
import type { Keyring } from './tag-verifier/keyring.ts';
import type { TagVerifier } from './tag-verifier/tag-verifier.ts';
import { RECEIVE_OUTCOMES, type ReceiveOutcome, type ReceiveResult } from './types.ts';

/** Results without an ack, made once. */
const PLAIN = Object.fromEntries(
  RECEIVE_OUTCOMES.map((outcome) => [outcome, Object.freeze({ outcome, ack: null })]),
) as Readonly<Record<ReceiveOutcome, ReceiveResult>>;

const STATUS_COUNT = CHECK_STATUSES.length;
const PASS = CHECK_STATUSES.indexOf('pass');
const WARN = CHECK_STATUSES.indexOf('warn');
const FAIL = CHECK_STATUSES.indexOf('fail');
/** Sets the challenge of a contest apart from that of a row. */
const CONTEST = 1;
const FLAG = { probeReply: 2, serving: 4, goodbye: 8 } as const;

export interface IngestIdentity {
  readonly coordinatorHash: number;
  /** Fresh for each process: what makes a recorded heartbeat worthless to the next one. */
  readonly nonce: Uint8Array;
}

/** What ingest works with. */
export interface IngestParts {
  readonly state: ObserverState;
  readonly keyring: Keyring;
  readonly verifier: TagVerifier;
  readonly activations: ActivationSource;
}

/**
 * Datagrams into the table, in two steps with the check of the tag in between: {@link admit}, then
 * {@link settle}. {@link HeartbeatBatch} takes both for several at once, {@link receive} for one.
 */
export class Ingest {
  readonly counts: Record<ReceiveOutcome, number> = Object.fromEntries(
    RECEIVE_OUTCOMES.map((outcome) => [outcome, 0]),
  ) as Record<ReceiveOutcome, number>;
  /** For people: who is claimed to speak, and is not believed. */
  readonly refused = new RefusedClaims();
  readonly verifier: TagVerifier;
  readonly #state: ObserverState;
  readonly #keyring: Keyring;
  readonly #acks: Acks;
  readonly #nonceState = new Int32Array(MIDSTATE_WORDS);
  #contestsBegun = 0;

  constructor({ state, keyring, verifier, activations }: IngestParts, identity: IngestIdentity) {
    this.#state = state;
    this.#keyring = keyring;
    this.verifier = verifier;
    this.#acks = new Acks(state, keyring, activations, identity.coordinatorHash);
    writeMidstate(identity.nonce, this.#nonceState, 0);
  }

  #drop(outcome: ReceiveOutcome): ReceiveResult {
    this.counts[outcome]++;
    return PLAIN[outcome];
  }

  /**
   * Length, version, type, agent, key: the slot, or (counted) the reason why not. Nothing of the
   * content is looked at.
   */
  admit(bytes: Uint8Array, from: Endpoint, heardAtMs: number): number | ReceiveResult {
    if (bytes.length !== HEARTBEAT_BYTES || bytes[0] !== FRAME_VERSION || bytes[1] !== FRAME_TYPE.heartbeat)
      return this.#drop('malformed');
    const slot = this.#state.index.find(this.#state.members, bytes, HEARTBEAT_OFFSET.agentId);
    if (slot < 0) return this.#drop('unknown-agent');
    if (this.keyOffset(slot, bytes) >= 0) return slot;
    this.refused.note(this.#state.members.ids[slot] as MemberId, 'unknown-key', from.address, heardAtMs);
    return this.#drop('unknown-key');
  }

  /** Where the key that an admitted heartbeat names lies in the keyring. */
  keyOffset(slot: number, bytes: Uint8Array): number {
    const member = this.#state.members.ids[slot] as MemberId;
    return this.#keyring.offsetOf(slot, bytes[HEARTBEAT_OFFSET.keyId] as number, member);
  }

  /** One datagram from first to last, its tag checked alone. */
  receive(bytes: Uint8Array, from: Endpoint, heardAtMs: number, nowMs: number): ReceiveResult {
    const slot = this.admit(bytes, from, heardAtMs);
    if (typeof slot !== 'number') return slot;
    const authentic = this.#keyring.tagMatches(this.keyOffset(slot, bytes), bytes);
    return this.settle(slot, bytes, authentic, from, heardAtMs, nowMs);
  }

  /**
   * After the tag: replay window, challenge, record, ack. `heardAtMs`: when it came in, not later
   * than `nowMs`.
   */
  settle(
    slot: number,
    bytes: Uint8Array,
    authentic: boolean,
    from: Endpoint,
    heardAtMs: number,
    nowMs: number,
  ): ReceiveResult {
    if (!authentic) {
      this.refused.note(this.#state.members.ids[slot] as MemberId, 'forged', from.address, heardAtMs);
      return this.#drop('forged');
    }
    if (!checksInRange(bytes)) return this.#drop('malformed');
    const entry = this.#entryFor(slot, bytes);
    const begins = this.#beginsEpoch(entry, bytes);
    const fresh = acceptSequence(
      this.#state.entries,
      entry,
      word(bytes, HEARTBEAT_OFFSET.bootEpoch),
      word(bytes, HEARTBEAT_OFFSET.bootEpoch + 4),
      word(bytes, HEARTBEAT_OFFSET.sequence),
      word(bytes, HEARTBEAT_OFFSET.sequence + 4),
      heardAtMs,
    );
    if (fresh === 'stale') return this.#hearStale(slot, entry, bytes, heardAtMs, nowMs);
    if (fresh === 'replayed') return this.#drop(fresh);
    const knowsChallenge = this.#echoesChallenge(entry, bytes);
    const confirmed = knowsChallenge || this.#answersContest(entry, bytes, begins, heardAtMs);
    if (confirmed) this.#noteIncumbent(entry, bytes);
    if (confirmed && this.#isNewest(entry, bytes)) this.#recordContent(slot, entry, bytes, from, heardAtMs);
    if (confirmed) this.#recordLife(slot, entry, heardAtMs, nowMs);
    const outcome = confirmed ? 'recorded' : 'unconfirmed';
    this.counts[outcome]++;
    const ack = this.#acks.ifDue(slot, entry, bytes, knowsChallenge, nowMs);
    return ack ? { outcome, ack } : PLAIN[outcome];
  }

  #beginsEpoch(entry: number, bytes: Uint8Array): boolean {
    return !this.#isOfEpoch(bytes, this.#state.entries.epochHi[entry], this.#state.entries.epochLo[entry]);
  }

  #isOfEpoch(bytes: Uint8Array, hi: number | undefined, lo: number | undefined): boolean {
    return word(bytes, HEARTBEAT_OFFSET.bootEpoch) === hi && word(bytes, HEARTBEAT_OFFSET.bootEpoch + 4) === lo;
  }

  /**
   * Authentic, and of an older boot epoch than another: an old recording, or an agent that another
   * one on its host has overtaken. It is told so, seldom, and never that it may serve. Only whoever
   * echoes what was told is alive.
   */
  #hearStale(slot: number, entry: number, bytes: Uint8Array, heardAtMs: number, nowMs: number): ReceiveResult {
    const { contests, settings } = this.#state;
    const contest = contests.of(entry) ?? this.#beginContest(slot, entry, heardAtMs);
    const from = { epoch: wide(bytes, HEARTBEAT_OFFSET.bootEpoch), sequence: wide(bytes, HEARTBEAT_OFFSET.sequence) };
    const proven = echoes(bytes, contest.challengeHi, contest.challengeLo) && noteEcho(contest, from, heardAtMs);
    noteStale(contest, from, proven);
    if (proven) this.#recordLife(slot, entry, heardAtMs, nowMs);
    const outcome = proven ? 'rival' : 'stale';
    this.counts[outcome]++;
    if (!mayAnswer(contest, from, settings, nowMs)) return PLAIN[outcome];
    return { outcome, ack: this.#acks.ofStale(slot, entry, bytes, contest) };
  }

  #beginContest(slot: number, entry: number, nowMs: number): Contest {
    const { contests, entries } = this.#state;
    const [challengeHi, challengeLo] = this.#freshChallenge(slot, entry, [this.#contestsBegun++, CONTEST]);
    const incumbentHi = entries.epochHi[entry] as number;
    const incumbentLo = entries.epochLo[entry] as number;
    return contests.begin(entry, { startedAtMs: nowMs, challengeHi, challengeLo, incumbentHi, incumbentLo });
  }

  /**
   * Who was told that its epoch was old and began a new one, or goes on with it until it has our
   * own challenge again.
   */
  #answersContest(entry: number, bytes: Uint8Array, begins: boolean, heardAtMs: number): boolean {
    const contest = this.#state.contests.of(entry);
    if (!contest || !echoes(bytes, contest.challengeHi, contest.challengeLo)) return false;
    if (begins) noteTaken(contest, heardAtMs);
    return true;
  }

  #noteIncumbent(entry: number, bytes: Uint8Array): void {
    const contest = this.#state.contests.of(entry);
    if (contest && this.#isOfEpoch(bytes, contest.incumbentHi, contest.incumbentLo)) contest.incumbentHeard = true;
  }

  #entryFor(slot: number, bytes: Uint8Array): number {
    const hashHi = word(bytes, HEARTBEAT_OFFSET.instanceHash);
    const hashLo = word(bytes, HEARTBEAT_OFFSET.instanceHash + 4);
    const known = this.#state.entryOf(slot, hashHi, hashLo);
    if (known !== NONE) return known;
    const hex = hexOf(bytes, HEARTBEAT_OFFSET.instanceHash, 8);
    const entry = this.#state.addEntry(slot, hashHi, hashLo, hex);
    this.#setChallenge(slot, entry);
    return entry;
  }

  /** A row made anew after eviction asks something new. */
  #setChallenge(slot: number, entry: number): void {
    const { entries, entriesMade } = this.#state;
    const [hi, lo] = this.#freshChallenge(slot, entry, [entriesMade]);
    entries.challengeHi[entry] = hi;
    entries.challengeLo[entry] = lo;
  }

  /**
   * Bound to this process, the agent, the instance and what `distinct` says; told nowhere before
   * where that is new.
   */
  #freshChallenge(slot: number, entry: number, distinct: readonly number[]): readonly [number, number] {
    const { members, entries } = this.#state;
    const message = new Uint8Array(24 + 4 * distinct.length);
    message.set(members.agentId.subarray(slot * 16, slot * 16 + 16));
    const view = new DataView(message.buffer);
    view.setUint32(16, entries.hashHi[entry] as number);
    view.setUint32(20, entries.hashLo[entry] as number);
    distinct.forEach((number, index) => view.setUint32(24 + 4 * index, number));
    const mac = midstateMac(this.#nonceState, 0)(message);
    return [word(mac, 0), word(mac, 4)];
  }

  challengeHex(entry: number): string {
    const { entries } = this.#state;
    return hex32(entries.challengeHi[entry] as number) + hex32(entries.challengeLo[entry] as number);
  }

  #echoesChallenge(entry: number, bytes: Uint8Array): boolean {
    const { entries } = this.#state;
    return echoes(bytes, entries.challengeHi[entry], entries.challengeLo[entry]);
  }

  /** Sockets overtake each other: what an older datagram says is no longer so. */
  #isNewest(entry: number, bytes: Uint8Array): boolean {
    const { entries } = this.#state;
    return (
      entries.sequenceLo[entry] === word(bytes, HEARTBEAT_OFFSET.sequence + 4) &&
      entries.sequenceHi[entry] === word(bytes, HEARTBEAT_OFFSET.sequence)
    );
  }

  #recordContent(slot: number, entry: number, bytes: Uint8Array, from: Endpoint, heardAtMs: number): void {
    const { entries } = this.#state;
    this.#recordArrival(entry, heardAtMs);
    const passing = this.#recordChecks(slot, entry, bytes, heardAtMs);
    const sent = bytes[HEARTBEAT_OFFSET.flags] as number;
    if ((sent & FLAG.probeReply) === 0) recordBeat(this.#state, slot, entry, heardAtMs);
    entries.flags[entry] =
      ENTRY_FLAG.windowOpen |
      ENTRY_FLAG.heard |
      passing |
      ((sent & FLAG.serving) !== 0 ? ENTRY_FLAG.serving : 0) |
      ((sent & FLAG.goodbye) !== 0 ? ENTRY_FLAG.goodbye : 0);
    entries.keyId[entry] = bytes[HEARTBEAT_OFFSET.keyId] as number;
    setAddress(entries, entry, from.address);
    entries.port[entry] = from.port;
  }

  #recordLife(slot: number, entry: number, heardAtMs: number, nowMs: number): void {
    const { entries, members } = this.#state;
    entries.flags[entry] = (entries.flags[entry] as number) | ENTRY_FLAG.heard;
    // Never backwards: a stall of ours that was forgiven stays forgiven.
    entries.lastHeardMs[entry] = Math.max(heardAtMs, entries.lastHeardMs[entry] as number);
    const silentFromMs = Math.max(heardAtMs, entries.silentFromMs[entry] as number);
    entries.silentFromMs[entry] = silentFromMs;
    if (members.activeEntry[slot] === entry) this.#noteLife(slot, silentFromMs, nowMs);
  }

  /**
   * It lives, if what came in is not older than a silence we would suspect. Else the next tick
   * judges: it was heard, but that is long ago.
   */
  #noteLife(slot: number, silentFromMs: number, nowMs: number): void {
    const { members, suspicions } = this.#state;
    // Lazily: a due time in the past or future only means an earlier look.
    const dueAtMs = silentFromMs + (members.suspectAfterMs[slot] as number);
    if ((members.dueAtMs[slot] as number) > dueAtMs) members.dueAtMs[slot] = dueAtMs;
    if (dueAtMs <= nowMs) return;
    suspicions.delete(slot);
    members.flags[slot] = (members.flags[slot] as number) & ~MEMBER_FLAG.settled;
    this.#state.setVerdict(slot, 'alive', 'Heard', Math.max(silentFromMs, members.sinceMs[slot] as number));
  }

  /** Mean and variance of the interval, exponentially weighted; for φ and for "usual interval". */
  #recordArrival(entry: number, heardAtMs: number): void {
    const { entries } = this.#state;
    const intervalMs = heardAtMs - (entries.lastHeardMs[entry] as number);
    if (intervalMs === Number.POSITIVE_INFINITY || intervalMs < 0) return;
    const meanMs = entries.meanMs[entry] as number;
    if (meanMs === 0) {
      entries.meanMs[entry] = intervalMs;
      return;
    }
    const off = intervalMs - meanMs;
    entries.meanMs[entry] = meanMs + 0.05 * off;
    entries.variance[entry] = 0.95 * ((entries.variance[entry] as number) + 0.05 * off * off);
  }

  /**
   * Copies the check slots and keeps since when all pass, or each one fails, without a break; a gap
   * ≥ `suspectAfterMs` is one.
   */
  #recordChecks(slot: number, entry: number, bytes: Uint8Array, heardAtMs: number): number {
    const { entries, members } = this.#state;
    let allPass = true;
    let failing = 0;
    const into = entry * CHECK_AREA_BYTES;
    for (let i = 0; i < CHECK_AREA_BYTES; i++) {
      const value = bytes[HEARTBEAT_OFFSET.checks + i] as number;
      entries.checks[into + i] = value;
      if ((i & 3) !== 0 || value === 0 || i >= CHECK_SLOT_COUNT * 4) continue;
      if (value === FAIL) failing |= 1 << (i >> 2);
      if (value !== PASS && value !== WARN) allPass = false;
    }
    const gapMs = heardAtMs - (entries.lastHeardMs[entry] as number);
    // Asked for a long gap only: it costs a sort.
    const unbroken =
      gapMs < (members.suspectAfterMs[slot] as number) || gapMs < suspectAfterMsOf(members, entries, slot);
    const before = entries.flags[entry] as number;
    if (failing !== 0) entries.failing.note(entry, failing, unbroken, heardAtMs);
    else if ((before & ENTRY_FLAG.failing) !== 0) entries.failing.forget(entry);
    if (failing !== 0) return ENTRY_FLAG.failing;
    if (!allPass) return 0;
    if ((before & ENTRY_FLAG.passing) === 0 || !unbroken) entries.passingSinceMs[entry] = heardAtMs;
    return ENTRY_FLAG.passing;
  }
}

function checksInRange(bytes: Uint8Array): boolean {
  for (let slot = 0; slot < CHECK_SLOT_COUNT; slot++)
    if ((bytes[HEARTBEAT_OFFSET.checks + slot * 4] as number) >= STATUS_COUNT) return false;
  return true;
}

const word = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;

const wide = (bytes: Uint8Array, at: number): bigint => (BigInt(word(bytes, at)) << 32n) | BigInt(word(bytes, at + 4));

const echoes = (bytes: Uint8Array, hi: number | undefined, lo: number | undefined): boolean =>
  word(bytes, HEARTBEAT_OFFSET.challenge) === hi && word(bytes, HEARTBEAT_OFFSET.challenge + 4) === lo;

const hex32 = (value: number): string => value.toString(16).padStart(8, '0');

/**
 * In one piece: a string put together from parts keeps the parts, three times the memory per agent.
 */
const hexOf = (bytes: Uint8Array, offset: number, length: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('hex');
