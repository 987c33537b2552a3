import * as z from 'zod';
import {
  HistoryRecordSchema,
  HistoryStepSchema,
  HoldRecordSchema,
  MemberIdSchema,
  OpinionVerdictSchema,
} from './records/index.ts';

/** Bodies of the coordinator's HTTP API. Written by the coordinator, read by CLI and dashboard. */

export const CoordinatorViewSchema = z.object({
  coordinatorId: z.string(),
  az: z.string(),
  httpUrl: z.string(),
  leader: z.boolean(),
});

/** `GET /v1/status` */
export const StatusViewSchema = z.object({
  coordinatorId: z.string(),
  az: z.string(),
  version: z.string(),
  uptimeMs: z.number(),
  leader: z.object({ coordinatorId: z.string(), term: z.number() }).nullable(),
  isLeader: z.boolean(),
  coordinators: z.array(CoordinatorViewSchema),
  store: z.object({ fresh: z.boolean(), lastContactAgoMs: z.number().nullable() }),
  observer: z.object({
    abstains: z.boolean(),
    reason: z.string().nullable(),
    heardAgents: z.number(),
    watchedAgents: z.number(),
  }),
  counts: z.object({
    members: z.number(),
    alive: z.number(),
    suspect: z.number(),
    dead: z.number(),
    unknown: z.number(),
    left: z.number(),
    recovering: z.number(),
    held: z.number(),
  }),
  pauses: z.array(z.object({ scope: z.string(), who: z.string(), why: z.string() })),
  /** What keeps this process from (fully) doing its work, and instances whose tags say nothing usable. */
  problems: z.array(z.object({ code: z.string(), text: z.string() })).optional(),
});
export type StatusView = z.infer<typeof StatusViewSchema>;

/** One element of `GET /v1/members` → `{ members: [...] }` */
export const MemberViewSchema = z.object({
  member: MemberIdSchema,
  instanceId: z.string(),
  incarnation: z.number().nullable(),
  az: z.string(),
  verdict: OpinionVerdictSchema,
  /** One sentence: why this verdict. */
  reason: z.string(),
  degraded: z.boolean(),
  lastHeardAgoMs: z.number().nullable(),
  opinions: z.array(
    z.object({ observer: z.string(), az: z.string(), verdict: OpinionVerdictSchema, reason: z.string() }),
  ),
  checks: z.array(z.object({ name: z.string(), status: z.string(), code: z.string() })),
  hold: HoldRecordSchema.pick({ reason: true, text: true, sinceWallMs: true, untilWallMs: true }).nullable(),
  recovery: z.string().nullable(),
  readinessProblems: z.array(z.object({ code: z.string(), text: z.string() })),
});
export type MemberView = z.infer<typeof MemberViewSchema>;
export const MembersViewSchema = z.object({ members: z.array(MemberViewSchema) });

/** One element of `GET /v1/recoveries` → `{ open: [...], history: [...] }` (history: newest first, at most 100) */
export const OpenRecoveryViewSchema = z.object({
  opId: z.string(),
  member: MemberIdSchema,
  oldInstanceId: z.string(),
  newInstanceId: z.string().nullable(),
  reason: z.string(),
  startedAtWallMs: z.number(),
  lastHeardWallMs: z.number().nullable(),
  steps: z.array(HistoryStepSchema),
  /** What is happening right now, in words; only the leader knows. */
  activity: z.string().nullable(),
  /** 0..100 while snapshots are pending. */
  captureProgressPercent: z.number().nullable(),
  hold: HoldRecordSchema.pick({ reason: true, text: true }).nullable(),
});
export type OpenRecoveryView = z.infer<typeof OpenRecoveryViewSchema>;
export const RecoveriesViewSchema = z.object({
  open: z.array(OpenRecoveryViewSchema),
  history: z.array(HistoryRecordSchema),
});
export type RecoveriesView = z.infer<typeof RecoveriesViewSchema>;
