import * as z from 'zod';
import { AuditRecordSchema, COMMAND_KINDS } from './records/audit.ts';
import { HoldReasonSchema } from './records/cluster.ts';

/** What a command came to. */
export const CommandResultSchema = z.object({
  command: z.enum(COMMAND_KINDS),
  /** One sentence: what was done. */
  text: z.string(),
  /** Its entry in the audit log. Null: nothing had to be written. */
  auditId: z.string().nullable(),
  /** True: it was so already, or this very request was carried out before. */
  repeated: z.boolean(),
  /** True: only looked at; nothing was written. */
  dryRun: z.boolean(),
  /** What is there now; of each command its own. */
  result: z.record(z.string(), z.unknown()),
});
export type CommandResult = z.infer<typeof CommandResultSchema>;

export const PauseViewSchema = z.object({
  scope: z.string(),
  who: z.string(),
  why: z.string(),
  sinceWallMs: z.number().nullable(),
  untilWallMs: z.number().nullable(),
  /** Whoever names it ends exactly this pause. */
  revision: z.number(),
  /** Members it holds. */
  members: z.number(),
});
export type PauseView = z.infer<typeof PauseViewSchema>;
export const PausesViewSchema = z.object({
  coordinatorId: z.string(),
  /** The revision of etcd up to which this coordinator has seen everything. */
  revision: z.number(),
  pauses: z.array(PauseViewSchema),
});
export type PausesView = z.infer<typeof PausesViewSchema>;

export const DrainsViewSchema = z.object({
  /** Coordinators that are present. */
  present: z.array(z.object({ coordinatorId: z.string(), az: z.string(), leader: z.boolean() })),
  drains: z.array(
    z.object({
      ...{ coordinatorId: z.string(), who: z.string(), why: z.string() },
      ...{ sinceWallMs: z.number(), untilWallMs: z.number().nullable(), revision: z.number(), inForce: z.boolean() },
    }),
  ),
});
export type DrainsView = z.infer<typeof DrainsViewSchema>;

export const HeldViewSchema = z.object({
  ...{ member: z.string(), reason: HoldReasonSchema, text: z.string(), sinceWallMs: z.number() },
  untilWallMs: z.number().nullable(),
  /** The recovery that is held. Null: none was begun. */
  opId: z.string().nullable(),
  revision: z.number(),
  /** True: it is taken off by `hold release`. Otherwise only its cause can go. */
  releasable: z.boolean(),
});
export type HeldView = z.infer<typeof HeldViewSchema>;

export const PolicyViewSchema = z.object({
  group: z.string(),
  /** Revision of its own record. 0: it has none, and the default is in force. */
  revision: z.number(),
  /** What its record says; every other field has its default. */
  own: z.record(z.string(), z.unknown()),
  /** The policy by which it is judged and recovered. */
  effective: z.record(z.string(), z.unknown()),
  /** Why its own record is refused. Null: it is not. */
  refused: z.string().nullable(),
});
export type PolicyView = z.infer<typeof PolicyViewSchema>;
export const PoliciesViewSchema = z.object({ policies: z.array(PolicyViewSchema) });

export const AuditViewSchema = z.object({
  /** Newest first. */
  entries: z.array(z.object({ ...AuditRecordSchema.shape })),
  /** To be given as `before` for the entries behind these. Null: there are none. */
  next: z.string().nullable(),
});
export type AuditView = z.infer<typeof AuditViewSchema>;
