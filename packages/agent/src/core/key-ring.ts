import { keyFingerprint, type MemberId, type MonotonicMs, parseKey } from '@understudy/shared';

/**
 * Says which key speaks to which coordinator while keys are rotated. It is a value; every function
 * returns the next one.
 *
 * The agent holds one key, and for the time of a rotation a second one, the *candidate*. Each
 * coordinator is spoken to under the key it was last known to hold. The candidate is only tried
 * beside it, with a heartbeat of its own. A coordinator that acknowledges one has proven that it
 * holds the candidate, and is spoken to under that from then on. Once all configured coordinators
 * are, the candidate becomes the one key. So no order in which coordinators and agents learn of a
 * key, and no coordinator that is late, costs a heartbeat.
 */
export interface KeyRing {
  readonly current: AgentKey;
  readonly candidate: AgentKey | null;
  /** Per coordinator, in configured order. */
  readonly targets: readonly TargetKeys[];
  /**
   * Marks of keys that were given up, newest last, at most {@link SUPERSEDED_MAX}. They are kept
   * because user data and old files keep offering those keys.
   */
  readonly superseded: readonly string[];
}

/** This member's key under one master secret. A secret. */
export interface AgentKey {
  /** 1-255. */
  readonly id: number;
  /** 64 hex characters. */
  readonly hex: string;
}

export type KeySlot = 'current' | 'candidate';

interface TargetKeys {
  readonly uses: KeySlot;
  readonly ackedAtMs: Readonly<Record<KeySlot, number>>;
}

/**
 * `stateDir/keys.json`: what outlives process and instance. A restored disk brings it along,
 * because keys belong to the member.
 */
export interface StoredKeys {
  readonly member: MemberId;
  readonly current: AgentKey;
  readonly candidate: AgentKey | null;
  readonly superseded: readonly string[];
}

export const SUPERSEDED_MAX = 16;
const NEVER = Number.NEGATIVE_INFINITY;

export const isSameKey = (a: AgentKey | null, b: AgentKey | null): boolean =>
  a !== null && b !== null && a.id === b.id && a.hex === b.hex;

const markOf = (key: AgentKey): string => `${key.id}-${keyFingerprint(parseKey(key.hex, 'key'), key.id)}`;

const untried = (count: number): readonly TargetKeys[] =>
  Array.from({ length: count }, () => ({ uses: 'current', ackedAtMs: { current: NEVER, candidate: NEVER } }));

/**
 * The ring a process begins with. Stored keys take precedence over the configured one: the
 * configuration travels in user data and may name a key from before the last rotation. A configured
 * key that was never given up is tried beside the stored one. Keys that another member stored (a
 * copied disk) are not ours.
 */
export function beginKeys(
  stored: StoredKeys | null,
  configured: AgentKey,
  member: MemberId,
  targetCount: number,
): KeyRing {
  const targets = untried(targetCount);
  if (stored?.member !== member) return { current: configured, candidate: null, targets, superseded: [] };
  const { current, candidate, superseded } = stored;
  return offerKey({ current, candidate, targets, superseded }, configured, KEEPS_CANDIDATE).ring;
}

export const storedOf = ({ current, candidate, superseded }: KeyRing, member: MemberId): StoredKeys => ({
  member,
  current,
  candidate,
  superseded,
});

export type OfferOutcome =
  /** It is one of the two already. */
  | 'known'
  /** It was given up in an earlier rotation. */
  | 'superseded'
  /** Another candidate is there; this one waits its turn. */
  | 'waits'
  | 'taken';

/** When a new key may take the place of a candidate that is there. */
export type Precedence = { readonly nowMs: MonotonicMs; readonly begunAtMs: number } | typeof KEEPS_CANDIDATE;
export const KEEPS_CANDIDATE = null;

/**
 * Offers a key from a file or the configuration. With a precedence (what an operator puts down now)
 * it takes the place of a candidate that no coordinator has acknowledged: the operator corrected
 * the same file. A candidate that is in use stays until its rotation is over. Because there is a
 * third key now, that rotation is over early when all coordinators hold the candidate except those
 * that have acknowledged nothing for a day. A coordinator that is gone for good must not block
 * every later rotation, and one that is merely cut off must not lose us.
 */
export function offerKey(
  ring: KeyRing,
  key: AgentKey,
  precedence: Precedence,
): { readonly ring: KeyRing; readonly outcome: OfferOutcome } {
  if (isSameKey(ring.current, key) || isSameKey(ring.candidate, key)) return { ring, outcome: 'known' };
  if (ring.superseded.includes(markOf(key))) return { ring, outcome: 'superseded' };
  if (ring.candidate === null) return { ring: withCandidate(ring, key), outcome: 'taken' };
  if (precedence === KEEPS_CANDIDATE) return { ring, outcome: 'waits' };
  if (ring.targets.every(({ uses }) => uses === 'current')) return { ring: withCandidate(ring, key), outcome: 'taken' };
  if (!isHeldByAllButTheGone(ring, precedence)) return { ring, outcome: 'waits' };
  return { ring: withCandidate(adopt(ring), key), outcome: 'taken' };
}

/** A day, counted from the start of this process at the earliest. */
export const GONE_AFTER_MS = 86_400_000;

const isHeldByAllButTheGone = (ring: KeyRing, { nowMs, begunAtMs }: Exclude<Precedence, null>): boolean =>
  ring.targets.every(
    ({ uses, ackedAtMs: at }) =>
      uses === 'candidate' || nowMs - Math.max(begunAtMs, at.current, at.candidate) >= GONE_AFTER_MS,
  );

function withCandidate(ring: KeyRing, key: AgentKey): KeyRing {
  const targets = ring.targets.map(
    ({ ackedAtMs }): TargetKeys => ({
      uses: 'current',
      ackedAtMs: { current: ackedAtMs.current, candidate: NEVER },
    }),
  );
  return { ...ring, candidate: key, targets };
}

export interface KeyChoice {
  readonly main: KeySlot;
  /** The key to be tried beside it, with a heartbeat of its own. */
  readonly alsoTry: KeySlot | null;
}

/**
 * The keys for one coordinator now. The candidate is tried until it is acknowledged. The old key is
 * tried again when a coordinator has not acknowledged the candidate for `silentAfterMs`, because it
 * may have come back without it.
 */
export function choiceFor(ring: KeyRing, target: number, nowMs: MonotonicMs, silentAfterMs: number): KeyChoice {
  const state = ring.targets[target];
  if (ring.candidate === null || !state) return { main: 'current', alsoTry: null };
  if (state.uses === 'current') return { main: 'current', alsoTry: 'candidate' };
  const isQuiet = nowMs - state.ackedAtMs.candidate >= silentAfterMs;
  return { main: 'candidate', alsoTry: isQuiet ? 'current' : null };
}

export type RingChange =
  | 'none'
  /** This coordinator is spoken to under the candidate from now on. */
  | 'coordinator-moved'
  /** This coordinator is spoken to under the old key again. */
  | 'coordinator-fell-back'
  /** All coordinators hold the candidate. It is the one key now, and the other is given up. */
  | 'adopted';

/** Notes a fresh ack of this coordinator whose tag was good under that key: it holds the key. */
export function noteAcked(
  ring: KeyRing,
  target: number,
  slot: KeySlot,
  nowMs: MonotonicMs,
  silentAfterMs: number,
): { readonly ring: KeyRing; readonly change: RingChange } {
  const before = ring.targets[target];
  if (!before) return { ring, change: 'none' };
  const ackedAtMs = { ...before.ackedAtMs, [slot]: nowMs };
  const isQuiet = nowMs - before.ackedAtMs.candidate >= silentAfterMs;
  const uses = slot === 'candidate' || isQuiet ? slot : before.uses;
  const targets = ring.targets.with(target, { uses, ackedAtMs });
  const moved = { ...ring, targets };
  const hasCandidate = ({ uses: slotOf, ackedAtMs: at }: TargetKeys) =>
    slotOf === 'candidate' && nowMs - at.candidate < silentAfterMs;
  if (ring.candidate !== null && targets.every(hasCandidate)) return { ring: adopt(moved), change: 'adopted' };
  if (uses === before.uses) return { ring: moved, change: 'none' };
  return { ring: moved, change: uses === 'candidate' ? 'coordinator-moved' : 'coordinator-fell-back' };
}

function adopt(ring: KeyRing): KeyRing {
  const { current, candidate, targets, superseded } = ring;
  return {
    current: candidate ?? current,
    candidate: null,
    targets: targets.map(({ ackedAtMs }) => ({
      uses: 'current',
      ackedAtMs: { current: ackedAtMs.candidate, candidate: NEVER },
    })),
    superseded: [...superseded, markOf(current)].slice(-SUPERSEDED_MAX),
  };
}
