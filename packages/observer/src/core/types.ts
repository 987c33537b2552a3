import type {
  CheckReading,
  Endpoint,
  HeartbeatReading,
  MemberId,
  MonotonicMs,
  OpinionVerdict,
  ServiceProbe,
} from '@understudy/shared';
import type { ServiceOpinion } from './service-types.ts';

/** What this observer is told to watch. */
export interface WatchedMember {
  readonly member: MemberId;
  readonly suspectAfterMs: number;
  readonly confirmForMs: number;
  /** How often its agent is asked to speak: a multiple of 50, at most 10 000. */
  readonly heartbeatIntervalMs: number;
  /**
   * The instance the activation record names: the one opinions are about. `null` while there is
   * none.
   */
  readonly activatedInstanceId: string | null;
  /**
   * Other instances we know of (a replacement in verification, the predecessor): kept in preference
   * to strangers.
   */
  readonly knownInstanceIds: readonly string[];
  /** Members of one group share the list. Empty = UDP probes only. */
  readonly serviceProbes: readonly ServiceProbe[];
  readonly answeredProbesHoldForMs: number;
  /** A person calls its zone lost for this long: its silence says nothing about our ears. */
  readonly saidLostForMs?: number;
  /** A part of it only: that some there are heard does not contradict. */
  readonly saidPartlyLost?: true;
}

export interface ObserverSettings {
  /** How often `tick` is called. A gap of more than three of them is a stall of our own. */
  readonly tickMs: number;
  /** Abstain at least this long after construction. */
  readonly warmUpMs: number;
  /** After a stall abstain as long as it lasted, but at least and at most this long. */
  readonly stallAbstainMs: number;
  readonly stallAbstainMaxMs: number;
  /**
   * After datagrams were lost on our side abstain this long; while readings of the kernel's counter
   * go on finding more, it goes on. Longer = one short loss silences it longer.
   */
  readonly lossAbstainMs: number;
  /**
   * An agent that said goodbye (orderly stop, e.g. an upgrade) stays `suspect` this much longer
   * before it may be `dead`.
   */
  readonly goodbyeGraceMs: number;
  /** Abstain while fewer than this share of the agents heard before are heard … */
  readonly hearsRatio: number;
  /** … counted only from this many agents on: see `hears-too-few.ts`. */
  readonly hearsMinimum: number;
  /** A member this long `dead` no longer counts among "agents heard before". */
  readonly settledAfterMs: number;
  readonly probeTimeoutMs: number;
  /** Bound on probes planned in one tick; a member not yet probed cannot be `dead`. */
  readonly maxProbesPerTick: number;
  /**
   * Routine acks: at most 1 in this many heartbeats, and not more often than `routineAckMs` per
   * agent.
   */
  readonly ackEvery: number;
  readonly routineAckMs: number;
  /** No agent gets acks faster than this, whatever it asks for. */
  readonly ackMinIntervalMs: number;
  /** Instances remembered per member, the activated one included. */
  readonly maxInstancesPerMember: number;
}

export const DEFAULT_OBSERVER_SETTINGS: ObserverSettings = {
  tickMs: 250,
  warmUpMs: 20_000,
  stallAbstainMs: 1_000,
  stallAbstainMaxMs: 20_000,
  lossAbstainMs: 2_000,
  goodbyeGraceMs: 60_000,
  hearsRatio: 0.5,
  hearsMinimum: 4,
  settledAfterMs: 600_000,
  probeTimeoutMs: 500,
  maxProbesPerTick: 512,
  ackEvery: 5,
  routineAckMs: 1_000,
  ackMinIntervalMs: 100,
  maxInstancesPerMember: 5,
};

export const OPINION_REASONS = [
  'NeverHeard',
  'NotActivated',
  'Heard',
  /** Heard from two agents at once: of two boot epochs, both proven to speak now. */
  'TwoAgents',
  'Silent',
  'Goodbye',
  'ProbeAnswered',
  'ProbesFailed',
  'AnsweredTooLong',
  'ProbeNotSent',
  'WarmingUp',
  'OwnStall',
  'ReceiveLoss',
  'HearsTooFew',
  /** Silent, but last heard under a key that was taken away from us: it may well be speaking. */
  'KeyRetired',
] as const;
export type OpinionReason = (typeof OPINION_REASONS)[number];

/** Why this observer accuses nobody at the moment. */
export type AbstentionReason = Extract<OpinionReason, 'WarmingUp' | 'OwnStall' | 'ReceiveLoss' | 'HearsTooFew'>;

export interface Abstention {
  readonly reason: AbstentionReason;
  /** `null`: until enough agents are heard again. */
  readonly untilMs: MonotonicMs | null;
}

/**
 * This observer's view of one member's activated instance. An observer never says `left`: that is
 * EC2's evidence.
 */
export interface Opinion {
  readonly member: MemberId;
  /** `null` only with reason `NotActivated`. */
  readonly instanceId: string | null;
  readonly verdict: OpinionVerdict;
  readonly reason: OpinionReason;
  readonly sinceMs: MonotonicMs;
  readonly lastHeardMs: MonotonicMs | null;
  /** `null`: none (nothing to probe, abstains, or not known yet). */
  readonly service: ServiceOpinion | null;
}

/** A check as the agent reports it, and since when it has failed in every heartbeat we heard. */
export interface TimedCheckReading extends CheckReading {
  /** null: it does not fail; or it is not timed, because too many agents have a failing one. */
  readonly failingSinceMs: MonotonicMs | null;
}

/** {@link HeartbeatReading} plus what `assess` needs. */
export interface ObservedReading extends HeartbeatReading {
  readonly checks: readonly TimedCheckReading[];
  readonly goodbye: boolean;
  /** Suspicion level for people (φ-accrual); decides nothing. */
  readonly phi: number;
}

/** Under which key this observer last heard a member's activated instance. */
export interface MemberKey {
  readonly member: MemberId;
  readonly instanceId: string | null;
  /**
   * `none`: not heard since this process began. `retired`: heard under a key that was taken away
   * since, and not again.
   */
  readonly state: 'heard' | 'none' | 'retired';
  /** null unless `heard`. */
  readonly keyId: number | null;
  readonly lastHeardMs: MonotonicMs | null;
}

/**
 * What became of one datagram. Everything but `recorded`, `unconfirmed`, `rival` and `stale` is
 * dropped without an answer.
 */
export const RECEIVE_OUTCOMES = [
  'recorded',
  /**
   * Authentic and new, but it does not echo our challenge: it may be a recording. Answered with the
   * challenge, says nothing about life.
   */
  'unconfirmed',
  'malformed',
  'unknown-agent',
  'unknown-key',
  'forged',
  'replayed',
  /**
   * Authentic, and of an older boot epoch or behind the window. Says nothing about life; told so,
   * with a challenge of its own, in case its sender lives.
   */
  'stale',
  /**
   * As `stale`, but it echoes that challenge: a second agent, alive. Proves life, and nothing it
   * says is recorded.
   */
  'rival',
] as const;
export type ReceiveOutcome = (typeof RECEIVE_OUTCOMES)[number];

export interface ReceiveResult {
  readonly outcome: ReceiveOutcome;
  /** To send back to where the heartbeat came from; never larger than it. */
  readonly ack: Uint8Array | null;
}

/** A UDP probe to send now. Give what became of it to `ObserverTable.probeResult`. */
export interface ProbeOrder {
  readonly member: MemberId;
  readonly to: Endpoint;
  readonly payload: Uint8Array;
  /** Which suspicion it belongs to: a result that comes after a refutation is ignored. */
  readonly suspectSinceMs: MonotonicMs;
}

/** An answer comes as a heartbeat. A probe that was not sent proves nothing and does not count. */
export type ProbeOutcome = 'sent' | 'not-sent';
