import * as z from 'zod';
import { PlannedVolumeViewSchema } from './api/plan.ts';
import { TOKEN_ROLES } from './api-token.ts';
import { ProblemSchema } from './problem.ts';
import { HistoryRecordSchema, HistoryStepSchema, RungSchema } from './records/recovery.ts';
import { HoldRecordSchema, NotEnrolledSchema, OpinionVerdictSchema, ServiceOpinionSchema } from './records/cluster.ts';
import { NoticeRecordSchema } from './records/notice.ts';
import { LeftoverSchema } from './records/leftover.ts';
import { MemberIdSchema } from './records/record.ts';
import { OperatorRequestRecordSchema } from './records/operator-request.ts';

/** Bodies of the coordinator's HTTP API. Written by the coordinator, read by CLI and dashboard. */

export const CoordinatorViewSchema = z.object({
  coordinatorId: z.string(),
  az: z.string(),
  httpUrl: z.string(),
  leader: z.boolean(),
  /** The version of its build. */
  version: z.string(),
  /** The highest feature level its build understands. */
  featureLevel: z.number(),
});

/**
 * The judge behind a verdict. Only a leader judges (it joins every observer's opinion with EC2's
 * answers) and publishes what it judged.
 * - `current`: the present leader's;
 * - `last`: no present leader stands behind it: there is none, we cannot tell, or a new one has not
 *   judged yet. The verdict is `unknown` then (unless a recovery is open);
 * - `none`: no leader has judged.
 */
export const StandingSchema = z.object({
  standing: z.enum(['current', 'last', 'none']),
  /** The coordinator that judged. Null: none did. */
  by: z.string().nullable(),
  term: z.number().nullable(),
  /** Age of the verdict here: time since it was last known to stand. Null: there is none. */
  ageMs: z.number().nullable(),
});
export type Standing = z.infer<typeof StandingSchema>;

/** How many members have each verdict. */
const VerdictCountsSchema = z.object({
  alive: z.number(),
  suspect: z.number(),
  dead: z.number(),
  unknown: z.number(),
  left: z.number(),
});
export type VerdictCounts = z.infer<typeof VerdictCountsSchema>;

/** What the answering coordinator's own observer thinks. This is what it hears, not a verdict. */
const OwnViewSchema = z.object({ observer: z.string(), verdict: OpinionVerdictSchema, reason: z.string() });

/** Calls of a step that fail one after the other, for the same reason. */
export const FailingCallSchema = z.object({
  /** EC2's name of the call. Null when it is not known. */
  action: z.string().nullable(),
  /** EC2's own code, or ours where it gave none. */
  code: z.string(),
  /** Null: there was no answer. */
  httpStatus: z.number().nullable(),
  text: z.string(),
  /** Failures without a success in between. */
  count: z.number(),
  sinceWallMs: z.number(),
  /** Null: it is being tried now. */
  nextTryWallMs: z.number().nullable(),
});
export type FailingCall = z.infer<typeof FailingCallSchema>;

/**
 * A step of an open recovery. Only the leader knows what it does at the moment; elsewhere `text`
 * and `failing` are null.
 */
export const OpenStepViewSchema = HistoryStepSchema.extend({
  /** Number of the launch attempt it belongs to. Null: it belongs to none. */
  attempt: z.number().nullable().optional(),
  /** What it is doing, or why it failed. */
  text: z.string().nullable().optional(),
  failing: FailingCallSchema.nullable().optional(),
});
export type OpenStepView = z.infer<typeof OpenStepViewSchema>;

/**
 * What an operator asked for and is not carried out yet. The transaction that carries it out
 * removes it.
 */
export const PendingRequestSchema = OperatorRequestRecordSchema.pick({
  ...{ member: true, kind: true, opId: true, by: true, why: true, atWallMs: true, loss: true, leaveOpen: true },
});
export type PendingRequest = z.infer<typeof PendingRequestSchema>;

/** One way of bringing a member back, and what becomes of it for the failure it has now. */
export const RungViewSchema = RungSchema.extend({
  /** How long it may take before the next one is taken, ms. Null: it is not given up by itself. */
  deadlineMs: z.number().nullable(),
});
export type RungView = z.infer<typeof RungViewSchema>;

/**
 * One element of `GET /v1/recoveries` → `{ open: [...], history: [...] }` (history: newest first,
 * at most 100)
 */
export const OpenRecoveryViewSchema = z.object({
  opId: z.string(),
  member: MemberIdSchema,
  oldInstanceId: z.string(),
  newInstanceId: z.string().nullable(),
  reason: z.string(),
  startedAtWallMs: z.number(),
  lastHeardWallMs: z.number().nullable(),
  /** How it is brought back. Absent: an older coordinator answers. */
  strategy: z.string().optional(),
  /** Why in this way, in the order of the ladder. Absent: the policy names one way. */
  rungs: z.array(RungViewSchema).optional(),
  /** Each disk with the path it takes, and why. Absent: an older coordinator answers. */
  volumes: z.array(PlannedVolumeViewSchema).optional(),
  /** In the order they began. */
  steps: z.array(OpenStepViewSchema),
  /** What is happening right now, in words. Only the leader knows. */
  activity: z.string().nullable(),
  /** 0..100 while snapshots are pending. */
  captureProgressPercent: z.number().nullable(),
  hold: HoldRecordSchema.pick({ reason: true, text: true }).nullable(),
  /** What an operator asked of this recovery. Absent: nothing. */
  request: PendingRequestSchema.optional(),
});
export type OpenRecoveryView = z.infer<typeof OpenRecoveryViewSchema>;
export const RecoveriesViewSchema = z.object({
  open: z.array(OpenRecoveryViewSchema),
  history: z.array(HistoryRecordSchema),
  /** All requests, for open recoveries and for those that are to begin, the oldest first. */
  requests: z.array(PendingRequestSchema).default([]),
});
export type RecoveriesView = z.infer<typeof RecoveriesViewSchema>;

/** `GET /v1/status` */
export const StatusViewSchema = z.object({
  coordinatorId: z.string(),
  az: z.string(),
  version: z.string(),
  uptimeMs: z.number(),
  /** Null: there is no leader, or what is known of it is not fresh. */
  leader: z.object({ coordinatorId: z.string(), term: z.number() }).nullable(),
  isLeader: z.boolean(),
  coordinators: z.array(CoordinatorViewSchema),
  /**
   * The levels of `docs/upgrading.md`: `understood` is that of the build that answers; `agreed` is
   * null while none was agreed on.
   */
  featureLevels: z.object({ understood: z.number(), agreed: z.number().nullable(), inForce: z.number() }),
  store: z.object({ fresh: z.boolean(), lastContactAgoMs: z.number().nullable() }),
  observer: z.object({
    abstains: z.boolean(),
    reason: z.string().nullable(),
    heardAgents: z.number(),
    watchedAgents: z.number(),
    /** What its own observer thinks of its members. What counts are the verdicts in `counts`. */
    opinions: VerdictCountsSchema,
  }),
  /** The leader's standing behind the verdicts in `counts`. */
  judgement: StandingSchema,
  counts: VerdictCountsSchema.extend({
    members: z.number(),
    recovering: z.number(),
    held: z.number(),
  }),
  /**
   * The pauses in force now, which are those that the gate of every decision asks, unreadable ones
   * included. `members`: how many each holds.
   */
  pauses: z.array(
    z.object({
      scope: z.string(),
      who: z.string(),
      why: z.string(),
      untilWallMs: z.number().nullable().optional(),
      members: z.number().optional(),
    }),
  ),
  /** Why members are held, at most 50. */
  holds: z
    .array(HoldRecordSchema.pick({ member: true, reason: true, text: true, sinceWallMs: true, untilWallMs: true }))
    .default([]),
  /** Open recoveries, at most 50. */
  recoveries: z.array(OpenRecoveryViewSchema).default([]),
  /** What operators asked for and is not carried out yet, at most 50, the oldest first. */
  requests: z.array(PendingRequestSchema).default([]),
  /** What keeps this process from (fully) doing its work, and instances with unusable tags. */
  problems: z.array(ProblemSchema).default([]),
});
export type StatusView = z.infer<typeof StatusViewSchema>;

/** One element of `GET /v1/members` → `{ members: [...] }` */
export const MemberViewSchema = z.object({
  member: MemberIdSchema,
  instanceId: z.string(),
  incarnation: z.number().nullable(),
  az: z.string(),
  verdict: OpinionVerdictSchema,
  reasonCode: z.string(),
  /**
   * One sentence that says why the verdict is this one, and, where that is so, that no present
   * leader stands behind it.
   */
  reason: z.string(),
  judged: StandingSchema.extend({
    /** What was judged: the verdict itself while it stands, otherwise the last one. */
    verdict: OpinionVerdictSchema.nullable(),
    /** Since when the verdict is this one. Null: not known. */
    sinceWallMs: z.number().nullable(),
  }),
  /** Null: it does not watch it. */
  ownView: OwnViewSchema.nullable(),
  /**
   * Datagrams that claim to be it and are not authentic, in words: a hint at a wrong key. Null:
   * none in the last minute.
   */
  refusedDatagrams: z.string().nullable().default(null),
  /**
   * What is odd about the authentic heartbeats this coordinator hears for it (another instance,
   * address or boot epoch), a sentence each.
   */
  unexpectedHeartbeats: z.array(z.string()).default([]),
  degraded: z.boolean(),
  lastHeardAgoMs: z.number().nullable(),
  opinions: z.array(
    z.object({
      observer: z.string(),
      az: z.string(),
      verdict: OpinionVerdictSchema,
      reason: z.string(),
      /** What it thinks of the member's services. Absent: it has no opinion about them. */
      service: ServiceOpinionSchema.optional(),
    }),
  ),
  checks: z.array(z.object({ name: z.string(), status: z.string(), code: z.string() })),
  hold: HoldRecordSchema.pick({ reason: true, text: true, sinceWallMs: true, untilWallMs: true }).nullable(),
  recovery: z.string().nullable(),
  readinessProblems: z.array(z.object({ code: z.string(), text: z.string() })),
});
export type MemberView = z.infer<typeof MemberViewSchema>;
export const MembersViewSchema = z.object({
  members: z.array(MemberViewSchema),
  /**
   * Instances whose tags name us and that are no members, with the reason, as the leader finds
   * them.
   */
  notEnrolled: z.array(NotEnrolledSchema).default([]),
  /** For `cursor` of the next page. Null: there is none, or all were asked for. */
  next: z.string().nullable().default(null),
});
export type MembersView = z.infer<typeof MembersViewSchema>;

/**
 * `GET /v1/keys`: the keys this coordinator accepts, and the key under which it hears each member.
 * It holds no secret, and nothing from which a secret could be told.
 */
export const KeysViewSchema = z.object({
  coordinatorId: z.string(),
  /**
   * Oldest first. Coordinators that show the same fingerprint for an id hold the same master
   * secret.
   */
  accepted: z.array(z.object({ id: z.number(), fingerprint: z.string() })),
  /** Why the keys in its files are not the ones it uses. Null while they are. */
  refused: z.string().nullable(),
  /**
   * Datagrams since its start under key ids it does not accept. Anybody can send those, so they are
   * a hint and no proof.
   */
  unknownKeyDatagrams: z.number(),
  members: z.array(
    z.object({
      member: MemberIdSchema,
      instanceId: z.string().nullable(),
      /**
       * `none`: not heard since this coordinator started. `retired`: last heard under a key it no
       * longer has.
       */
      state: z.enum(['heard', 'none', 'retired']),
      /** Key id of the last authentic heartbeat. Null unless `heard`. */
      keyId: z.number().nullable(),
      lastHeardAgoMs: z.number().nullable(),
      /**
       * Key id in the user data of its instance, with which a replacement starts too. Only the
       * leader reads it. Null: not known.
       */
      userDataKeyId: z.number().nullable(),
    }),
  ),
});
export type KeysView = z.infer<typeof KeysViewSchema>;

/** `GET /v1/members/<group>/<name>/explain`: why a member is judged as it is, and what follows. */
export const ExplainViewSchema = z.object({
  member: MemberIdSchema,
  /** The activated instance, the only one that is judged. Null while there is none. */
  instanceId: z.string().nullable(),
  incarnation: z.number().nullable(),
  az: z.string(),
  atWallMs: z.number(),
  /**
   * Which coordinator answers. Only the leader asks EC2 and judges the fleet. `unknownHere` names
   * what the leader alone knows; it is empty when the leader answers.
   */
  answeredBy: z.object({ coordinatorId: z.string(), leader: z.boolean(), term: z.number().nullable() }),
  unknownHere: z.array(z.string()),
  verdict: OpinionVerdictSchema,
  reasonCode: z.string(),
  reason: z.string(),
  degraded: z.boolean(),
  judged: MemberViewSchema.shape.judged,
  ownView: MemberViewSchema.shape.ownView,
  /** What would refuse, or spoil, a recovery of it now. */
  readinessProblems: MemberViewSchema.shape.readinessProblems,
  decision: z.object({
    /** `unjudged`: no activated instance, or a record that cannot be read. */
    kind: z.enum(['none', 'replace', 'hold', 'recovering', 'unjudged']),
    /** Reason of a hold. */
    reason: z.string().nullable(),
    text: z.string(),
    untilWallMs: z.number().nullable(),
  }),
  evidence: z.array(
    z.object({
      source: z.string(),
      text: z.string(),
      /** Null: unknown. */
      ageMs: z.number().nullable(),
      /** It no longer counts when it is older than this. Null: no such limit. */
      freshForMs: z.number().nullable(),
      weight: z.enum(['for-dead', 'against-dead', 'neutral', 'veto']),
    }),
  ),
  /**
   * Every gate of the guard in the order asked, even where the verdict does not call for the guard.
   */
  gates: z.array(
    z.object({
      gate: z.string(),
      passes: z.boolean(),
      value: z.string(),
      limit: z.string(),
      untilWallMs: z.number().nullable(),
    }),
  ),
  wouldFlip: z.array(z.string()),
  /**
   * The ways of its ladder: of the open recovery; otherwise as they would be taken by what is known
   * now, before EC2 is asked for a plan. Absent: its policy names one way, or a follower answers.
   */
  rungs: z.array(RungViewSchema).optional(),
  /** Null while it is not judged. */
  lookAgainInMs: z.number().nullable(),
  /** The hold that stands in etcd. */
  hold: HoldRecordSchema.pick({ reason: true, text: true, sinceWallMs: true, untilWallMs: true }).nullable(),
  recovery: z.string().nullable(),
  /** The open recovery, step by step. Null: none. */
  openRecovery: OpenRecoveryViewSchema.nullable(),
  /** What an operator asked for it and is not carried out yet. Absent: nothing. */
  request: PendingRequestSchema.optional(),
  /**
   * The end of the console output of the instance last found dead, as captured then. It is in
   * memory, like the changes. It may hold anything a machine prints while it boots, so `text` is
   * null for a caller that does not show the operator's token.
   */
  console: z.object({ instanceId: z.string(), capturedAtWallMs: z.number(), text: z.string().nullable() }).nullable(),
  /** Newest first, at most 20, since the answering process began. */
  changes: z.array(
    z.object({
      atWallMs: z.number(),
      by: z.string(),
      instanceId: z.string(),
      verdict: OpinionVerdictSchema,
      reasonCode: z.string(),
      reason: z.string(),
    }),
  ),
});
export type ExplainView = z.infer<typeof ExplainViewSchema>;

/**
 * One element of `GET /v1/leftovers` → `{ leftovers: [...] }`: what ended recoveries still have to
 * remove, and chores they owe.
 */
export const LeftoverViewSchema = z.object({
  member: MemberIdSchema,
  opId: z.string(),
  /** `chore`: something is owed; else the kind of the resource. */
  kind: z.string(),
  id: z.string(),
  /** The thing itself, for people. */
  text: z.string(),
  /** Null: kept until a person removes it. */
  afterWallMs: z.number().nullable(),
  /** Why it is not done although its time has come. Null: nothing is in the way. */
  obstacle: LeftoverSchema.shape.obstacle,
});
export type LeftoverView = z.infer<typeof LeftoverViewSchema>;
export const LeftoversViewSchema = z.object({ leftovers: z.array(LeftoverViewSchema) });

/** `GET /v1/holds` */
export const HoldsViewSchema = z.object({ holds: z.array(HoldRecordSchema) });

/** `GET /v1/history` */
export const HistoryViewSchema = z.object({
  history: z.array(HistoryRecordSchema),
  /** For `cursor` of the next page. Null: there is none. */
  next: z.string().nullable().default(null),
});

/** `GET /v1/session`: who the caller is. */
export const SessionViewSchema = z.object({
  /** Null: the caller showed nothing. */
  name: z.string().nullable(),
  role: z.enum(['anybody', ...TOKEN_ROLES]),
  /** The groups it may command. Null: all. */
  groups: z.array(z.string()).nullable(),
  /** How it showed who it is. */
  via: z.enum(['nothing', 'bearer', 'session', 'certificate']),
  /** Null where there is no session. */
  expiresAtWallMs: z.number().nullable(),
  /** What a request by cookie that changes something shows as `understudy-csrf`. */
  csrf: z.string().nullable(),
});

/** `GET /healthz` */
export const HealthSchema = z.object({ healthy: z.literal(true) });

/** `GET /readyz` */
export const ReadinessSchema = z.object({ ready: z.boolean(), problems: z.array(ProblemSchema) });

/** `GET /v1/errors`: every code that a refusal can have. */
export const ErrorCatalogueSchema = z.object({
  errors: z.array(
    z.object({
      code: z.string(),
      status: z.number(),
      title: z.string(),
      remedy: z.string(),
      retryable: z.boolean(),
    }),
  ),
});

/** A notice that waits, or that a webhook did not take. */
const NoticeViewSchema = NoticeRecordSchema.pick({
  ...{ id: true, kind: true, severity: true, group: true, members: true, memberCount: true, opId: true },
  ...{ atWallMs: true, what: true, why: true, next: true },
});

/** `GET /v1/notices`: what others are still to be told, the oldest first, at most 200 of each. */
export const NoticesViewSchema = z.object({
  /** How many wait. */
  waitingCount: z.number(),
  waiting: z.array(
    NoticeViewSchema.extend({
      /** Webhooks that have had it. */
      deliveredTo: z.array(z.string()),
    }),
  ),
  undelivered: z.array(
    NoticeViewSchema.extend({
      webhook: z.string(),
      /** Why the last try failed. */
      error: z.string(),
      givenUpAtWallMs: z.number(),
    }),
  ),
});
export type NoticesView = z.infer<typeof NoticesViewSchema>;
