import type {
  AckActivation,
  CheckReading,
  Endpoint,
  FailingCall,
  IntentRecord,
  KvCompare,
  KvEntry,
  MemberId,
  MonotonicMs,
  OperatorRequestRecord,
  RequestKind,
  Revision,
  ServePromise,
  ServiceProbe,
  Unwritten,
} from '@understudy/shared';
import type { ProbeReport } from './core/observe/service-types.ts';
import type { LeaseStanding } from './core/serve-lease/index.ts';

/**
 * What the rooms of the coordinator promise each other. Implementations: leadership/, core/,
 * recovery/, adapters/.
 */

/**
 * A put whose key is compared, in the same transaction, with the revision the writer last saw (0 =
 * absent).
 */
export interface GuardedPut {
  readonly key: string;
  /**
   * The record without `schemaVersion`, `writeId`, `writtenBy`, `writtenAtWallMs`: the writer
   * stamps those.
   */
  readonly record: object;
  readonly expect: Revision;
}

export interface GuardedDelete {
  readonly key: string;
  readonly expect: Revision;
}

export interface GuardedWrite {
  /** At least one: a lost reply is recognised by reading back the first put's `writeId`. */
  readonly puts: readonly [GuardedPut, ...GuardedPut[]];
  readonly deletes?: readonly GuardedDelete[];
  /** Deleted without compare, in the same transaction (finished journals). */
  readonly deletePrefixes?: readonly string[];
  /** Further conditions, e.g. the activation's modRevision. */
  readonly also?: readonly KvCompare[];
}

export type CommitOutcome =
  /** `revision` is the new modRevision of every put key. */
  | { readonly kind: 'committed'; readonly revision: Revision }
  /**
   * A compare other than the term failed. `entries`: what the compared keys hold now, in order
   * puts, deletes, also.
   */
  | { readonly kind: 'conflict'; readonly entries: readonly (KvEntry | null)[] };

/**
 * One spell of leadership. `number` is the create-revision of the `leader` key (the fencing token).
 */
export interface Term {
  readonly number: number;
  readonly coordinatorId: string;
  /**
   * Aborted (with LEASE_LOST) as soon as this coordinator stops believing, which is before a
   * successor can start.
   */
  readonly signal: AbortSignal;
  /**
   * Own deadline on the monotonic clock: may work that takes up to `neededMs` still begin?
   * Synchronous; ask right before every effect.
   */
  holdsFor(neededMs: number): boolean;
  remainingMs(): number;
  /**
   * One transaction that compares the leader key's create-revision with `number`, every put's and
   * delete's modRevision, and `also`. A lost reply is resolved by reading back. Never repeats a
   * write blindly.
   * @throws LEASE_LOST when the term is over; STORE_UNAVAILABLE when it was certainly not sent;
   * STORE_OUTCOME_UNKNOWN when even reading back failed.
   */
  commit(write: GuardedWrite): Promise<CommitOutcome>;
}

export interface KnownLeader {
  readonly coordinatorId: string;
  readonly term: number;
  readonly httpUrl: string;
}

export interface LeadershipView {
  /** Our own term, while we lead. */
  current(): Term | null;
  /** Who leads, as far as the watch tells. */
  knownLeader(): KnownLeader | null;
  /** Called on every change of either. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
}

/** What this coordinator itself has heard from one instance of a member. */
export interface HeartbeatReading {
  readonly lastHeardAtMs: MonotonicMs;
  /**
   * Start of the unbroken run of heartbeats (no gap ≥ suspectAfterMs) whose checks all pass or
   * warn; null while a check fails.
   */
  readonly passingSinceMs: MonotonicMs | null;
  readonly bootEpoch: bigint;
  readonly serving: boolean;
  readonly checks: readonly CheckReading[];
  /** null: keeps no serve lease. */
  readonly servePromise: ServePromise | null;
}

export interface HeartbeatSource {
  reading(member: MemberId, instanceId: string): HeartbeatReading | null;
  /**
   * Whoever listens does not trust its own ears now: that nothing is heard says nothing. Absent: it
   * always does.
   */
  abstains?(): boolean;
}

/** What a leader needs to know to count on a serve lease; see `core/serve-lease`. */
export interface ServeLeases {
  /** Longest time any live coordinator's answer holds; null while one of them does not say. */
  answersHoldMs(): number | null;
  /** Would the instance's lease count, if it fell silent now? */
  standing(member: MemberId, instanceId: string): LeaseStanding;
  /** What the instance's last heartbeat promised. */
  promise(member: MemberId, instanceId: string): ServePromise | null;
}

/**
 * What an ack tells an instance; computed from the etcd view by the shell, `unknown` when that view
 * proves nothing for it.
 */
export interface ActivationAnswer {
  readonly activation: AckActivation;
  readonly incarnation: number;
  readonly holdsForMs: number;
  readonly term: number;
  readonly leaderLive: boolean;
}

export interface ActivationSource {
  /**
   * `bootHeardAtMs`: when this coordinator heard the first authenticated datagram of the instance's
   * present boot epoch. `promise`: of the heartbeat that is answered.
   */
  answer(
    member: MemberId,
    instanceHash: string,
    bootHeardAtMs: MonotonicMs,
    promise: ServePromise | null,
  ): ActivationAnswer;
}

export interface OpenIntent {
  readonly record: IntentRecord;
  readonly modRevision: Revision;
}

/**
 * How one run of the engine ended. `parked`: lost the term or the store; whoever leads next
 * resumes.
 */
export type RecoveryRunOutcome = 'finished' | 'held' | 'parked';

/** What one step of a run is doing. */
export interface StepActivity {
  /** As in the journal: `launch-2`. */
  readonly step: string;
  /** Since this process has been working on it. */
  readonly sinceWallMs: number;
  readonly text: string;
  readonly failing: FailingCall | null;
}

export interface RecoveryActivity {
  readonly text: string;
  readonly captureProgressPercent: number | null;
  readonly steps: readonly StepActivity[];
}

export interface RecoveryRunner {
  /**
   * Resumes the recorded intent from its journal. Never re-decides. Resolves; throws only on a
   * broken invariant.
   */
  run(intent: OpenIntent, term: Term): Promise<RecoveryRunOutcome>;
  /**
   * Something was asked of it: a run of it that is under way ends soon, so that the next one begins
   * with that. Absent: it has to end by itself.
   */
  interrupt?(opId: string): void;
  /** What it is doing right now, for people; null when not running here. */
  activity(opId: string): RecoveryActivity | null;
  /**
   * Its hold was removed while it runs: what it pauses for after a failure is tried now. Absent: it
   * cannot be hurried.
   */
  retryNow?(opId: string): void;
}

/**
 * Makes one look at a service, and never rejects for what it finds: that is the answer. Ends within
 * `timeoutMs` and leaves no connection behind, also when `signal` is aborted (answer: `NotSent`).
 */
export type ProbeService = (
  probe: ServiceProbe,
  to: Endpoint,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProbeReport>;

/** What an operator asks for; `opId`: of the recovery they mean, null: the one that is open now. */
export interface OperatorCommand {
  readonly member: MemberId;
  readonly kind: RequestKind;
  readonly by: string;
  readonly why: string;
  readonly opId: string | null;
  readonly loss: string | null;
  readonly leaveOpen: boolean;
}

export type OperatorAnswer =
  /** Written down; `repeated`: it was there already. */
  | { readonly kind: 'accepted'; readonly request: Unwritten<OperatorRequestRecord>; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly text: string };
export type RefusalCode =
  | 'MEMBER_UNKNOWN'
  | 'NO_OPEN_RECOVERY'
  | 'OTHER_RECOVERY'
  | 'NOT_STOPPED_BY_US'
  | 'CHANGED'
  | 'UNAVAILABLE';
