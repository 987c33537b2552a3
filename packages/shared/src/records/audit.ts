import * as z from 'zod';
import { namesOnly, placed, recordBase } from './record.ts';

/** Everything that a person can have changed by command. One kind, one file in the coordinator. */
export const COMMAND_KINDS = [
  ...(['pause', 'resume', 'release-hold', 'acknowledge'] as const),
  ...(['apply-policies', 'reset-policy'] as const),
  ...(['transfer', 'drain', 'undrain'] as const),
  ...(['resend-notice', 'drop-notice', 'reset-enrolment'] as const),
  ...(['retry', 'replan', 'accept-loss', 'abandon', 'recover', 'undo'] as const),
] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

const AUDIT_ID = /^\d{16}-\d{6}$/;

/** Sorts as it was written, whatever clocks say: the term, then the count within the term. */
export const auditIdOf = (term: number, count: number): string =>
  `${String(term).padStart(16, '0')}-${String(count).padStart(6, '0')}`;

const wrongId = ([id = '']: readonly string[]): string | null =>
  AUDIT_ID.test(id) ? null : `"${id}" is no audit id: 16 digits of the term, a dash, 6 digits`;

/**
 * `audit/<id>`: one command that was taken, in the transaction that did what it asks for. So what
 * has no entry has not happened, and what has one has.
 */
export const AuditRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    auditId: z.string(),
    atWallMs: z.number(),
    kind: z.enum(COMMAND_KINDS),
    /** The scope, member, recovery, group or coordinator it is about. */
    about: z.string(),
    /** Who was authenticated. */
    who: z.string().min(1).max(200),
    /** The address they spoke from. */
    from: z.string().max(200),
    reason: z.string().min(1).max(500),
    requestId: z.string().max(200),
    /** One sentence. */
    text: z.string(),
    /** What was there, and what is there now, as far as it changed. Null: nothing. */
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
  }),
  { area: 'audit', parts: [1], says: ([auditId = '']) => ({ auditId }), fault: wrongId },
);
export type AuditRecord = z.infer<typeof AuditRecordSchema>;

const ANSWER_ID = /^[0-9a-f]{32}$/;

/**
 * `answers/<id>`: what a command with an idempotency key was answered; written with its effect.
 * The id is a digest of who asked and of the key.
 */
export const AnswerRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    answerId: z.string(),
    atWallMs: z.number(),
    /** SHA-256 of the request, hex. Another request under the same key is refused. */
    requestHash: z.string(),
    auditId: z.string(),
    result: z.record(z.string(), z.unknown()),
  }),
  {
    area: 'answers',
    parts: [1],
    says: ([answerId = '']) => ({ answerId }),
    fault: ([id = '']) => (ANSWER_ID.test(id) ? null : `"${id}" is no answer id: 32 hex digits`),
  },
);
export type AnswerRecord = z.infer<typeof AnswerRecordSchema>;

/**
 * `drains/<coordinator>`: it is about to be taken away for maintenance. While this is in force it
 * leads only where nobody else can, and accuses nobody; what it hears still counts.
 */
export const DrainRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    coordinatorId: z.string(),
    who: z.string(),
    why: z.string(),
    sinceWallMs: z.number(),
    /** Null: until somebody ends it. */
    untilWallMs: z.number().nullable(),
  }),
  { area: 'drains', parts: [1], says: ([coordinatorId = '']) => ({ coordinatorId }), fault: namesOnly },
);
export type DrainRecord = z.infer<typeof DrainRecordSchema>;

/**
 * `leader-transfer/current`: who should lead next. The leader writes it right before it resigns.
 * Others stand back for as long as it says after the lock fell free, by their own clocks, and no
 * longer: it decides nothing.
 */
export const TransferRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    /** The term that resigned. */
    term: z.number(),
    to: z.string(),
    standBackMs: z.number().int().min(0).max(10_000),
  }),
  {
    area: 'leader-transfer',
    parts: [1],
    says: () => ({}),
    fault: ([name = '']) => (name === 'current' ? null : `"${name}" is no key of ours: there is one, "current"`),
  },
);
export type TransferRecord = z.infer<typeof TransferRecordSchema>;
