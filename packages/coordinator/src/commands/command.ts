import type {
  CommandKind,
  GuardedDelete,
  GuardedPut,
  HoldReason,
  Keyspace,
  KvCompare,
  MemberId,
  RequestKind,
  Revision,
  WallMs,
} from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

/** Who asks, as the HTTP server has authenticated them. */
export interface Caller {
  readonly identity: string;
  /** The address they speak from. */
  readonly from: string;
  readonly requestId: string;
}

/** What a person can ask for. Revisions are those of the records they were shown. */
export type Command =
  | {
      readonly kind: 'pause';
      readonly scope: string;
      readonly untilWallMs: number | null;
      /** Revision of the pause that this one takes the place of. Null: there is none. */
      readonly replaces: Revision | null;
    }
  /** `revision`: of the pause they were shown; null: their own, whatever it says. */
  | { readonly kind: 'resume'; readonly scope: string; readonly revision: Revision | null }
  | { readonly kind: 'release-hold'; readonly member: MemberId; readonly revision: Revision }
  | { readonly kind: 'acknowledge'; readonly member: MemberId; readonly opId: string }
  | { readonly kind: 'apply-policies'; readonly groups: readonly AppliedPolicy[] }
  | { readonly kind: 'reset-policy'; readonly group: string; readonly revision: Revision }
  | { readonly kind: 'transfer'; readonly to: string | null }
  | {
      readonly kind: 'drain';
      readonly coordinatorId: string;
      readonly untilWallMs: number | null;
      /** Also where too few are left to call anybody dead. */
      readonly override: boolean;
    }
  | { readonly kind: 'undrain'; readonly coordinatorId: string; readonly revision: Revision | null }
  | { readonly kind: 'reset-enrolment'; readonly member: MemberId; readonly revision: Revision }
  /** About a notice that a webhook did not take. */
  | { readonly kind: 'resend-notice' | 'drop-notice'; readonly webhook: string; readonly noticeId: string }
  | RecoveryCommand;

/** What can be asked of a recovery (`docs/ways-out.md`). */
export interface RecoveryCommand {
  readonly kind: RequestKind;
  readonly member: MemberId;
  /** The person whose wish it is. Null: who is authenticated. */
  readonly by: string | null;
  /** Names the recovery they mean; null: the one that is open now. */
  readonly opId: string | null;
  readonly loss: string | null;
  readonly leaveOpen: boolean;
  /** `recover`: these gates do not stop it. */
  readonly overrides: readonly HoldReason[];
  readonly planToken: string | null;
  /** `recover`: by this strategy. Absent: as the policy says. */
  readonly strategy?: string | undefined;
  /** `undo`: writes of this long may be lost, ms. Absent: none may. */
  readonly acceptLossMs?: number | undefined;
}

export interface AppliedPolicy {
  readonly group: string;
  /** As it was written: what is not in it has its default. */
  readonly policy: object;
  /** Revision of the record it was made from; 0: there was none; null: whatever is there. */
  readonly revision: Revision | null;
}

/** A command with who asks and why. */
export interface Asked<C extends Command = Command> {
  readonly command: C;
  readonly caller: Caller;
  readonly reason: string;
  /** Null: asking again is another command. */
  readonly idempotencyKey: string | null;
}

/** What it takes to call somebody dead (S10). */
export interface ObserverMinimum {
  readonly minimumObservers: number;
  readonly minimumZones: number;
}

/** What a decision rests on: one snapshot. */
export interface CommandFacts {
  readonly records: ClusterRecords;
  readonly keys: Keyspace;
  readonly nowWallMs: WallMs;
  /** The leader that decides. */
  readonly coordinatorId: string;
  readonly term: number;
  readonly minimum: ObserverMinimum;
  /** Revision of a key, whether its record can be read or not; 0: it is absent. */
  readonly revisionOf: (key: string) => Revision;
  /** The value of a key as it lies there; null: it is absent. */
  readonly valueOf: (key: string) => string | null;
  /** Why this coordinator refuses a policy; empty: it does not. */
  readonly policyFaults: (policy: unknown) => readonly string[];
}

export const REFUSAL_CODES = [
  ...(['MEMBER_UNKNOWN', 'COORDINATOR_UNKNOWN', 'RECOVERY_UNKNOWN', 'NOTHING_THERE'] as const),
  ...(['BAD_REQUEST', 'POLICY_REFUSED', 'IDEMPOTENCY_KEY_REUSED'] as const),
  ...([
    'NO_OPEN_RECOVERY',
    'OTHER_RECOVERY',
    'NOT_STOPPED_BY_US',
    'GATES_HOLD',
    'NEVER_OVERRIDDEN',
    'UNDO_REFUSED',
  ] as const),
  ...(['PAUSED_BY_ANOTHER', 'NOT_RELEASABLE', 'TOO_FEW_OBSERVERS'] as const),
  ...(['REVISION_STALE', 'CHANGED'] as const),
  ...(['UNAVAILABLE', 'OUTCOME_UNKNOWN'] as const),
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refused {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  /** One sentence, with what can be done. */
  readonly text: string;
  /** What the caller needs to ask better: the current record, the gates that hold … */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What is written, in one transaction with its audit record. Nothing: the audit record alone. */
export interface Effect {
  readonly puts?: readonly GuardedPut[];
  readonly deletes?: readonly GuardedDelete[];
  readonly also?: readonly KvCompare[];
}

export interface Change {
  readonly kind: 'change';
  readonly effect: Effect;
  readonly about: string;
  /** One sentence: what is done. */
  readonly text: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly result: Readonly<Record<string, unknown>>;
}

export type CommandDecision =
  | Change
  /** It is so already: nothing is written. */
  | { readonly kind: 'unchanged'; readonly text: string; readonly result: Readonly<Record<string, unknown>> }
  | Refused;

export const refused = (code: RefusalCode, text: string, detail?: Readonly<Record<string, unknown>>): Refused => ({
  kind: 'refused',
  code,
  text,
  ...(detail === undefined ? {} : { detail }),
});

export type CommandAnswer =
  | {
      readonly kind: 'done';
      readonly command: CommandKind;
      readonly text: string;
      /** Null: nothing had to be written. */
      readonly auditId: string | null;
      /** True: this very command was taken before, and this is what it was answered. */
      readonly repeated: boolean;
      readonly result: Readonly<Record<string, unknown>>;
    }
  | Refused;
