import * as z from 'zod';
import { isName } from '../member-id.ts';
import { MemberIdSchema, namesOnly, placed, recordBase } from './record.ts';

/** Every change of state that is told to others. */
export const NOTICE_KINDS = [
  'member.enrolled',
  'member.alive',
  'member.suspect',
  'member.dead',
  'member.unknown',
  'member.left',
  'recovery.begun',
  'recovery.activated',
  'recovery.ended',
  'hold.begun',
  'hold.ended',
  'pause.begun',
  'pause.ended',
  'policy.changed',
  'problem.begun',
  'problem.ended',
  'leader.changed',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** The `source` of our events on a bus of EventBridge. */
export const NOTICE_EVENT_SOURCE = 'understudy';

/** How soon somebody is needed: now, in working hours, or not at all. */
export const NOTICE_SEVERITIES = ['critical', 'warning', 'info'] as const;
export type NoticeSeverity = (typeof NOTICE_SEVERITIES)[number];

/** One change of state, in words. */
const noticeFields = {
  /** The same for every delivery, whoever makes it: a receiver drops what it has had already. */
  id: z.string().regex(/^[0-9]{13}-[0-9a-f]{16}$/),
  kind: z.enum(NOTICE_KINDS),
  severity: z.enum(NOTICE_SEVERITIES),
  /** Null: it is about everything. */
  group: z.string().nullable(),
  /** The members it is about, at most 20 of them by name. Empty: it is about no member. */
  members: z.array(MemberIdSchema).max(20),
  /** How many members it is about. */
  memberCount: z.number().int().min(0),
  /** The recovery it is about. Null: it is about none. */
  opId: z.string().nullable(),
  atWallMs: z.number(),
  what: z.string(),
  why: z.string(),
  /** What happens next, or what a person does. */
  next: z.string(),
};

const ID_ONLY = ([id = '']: readonly string[]) => ({ id });

/**
 * `outbox/<id>`: a notice that waits to be delivered. It is written in the transaction that makes
 * the change it tells of, so there is no change without it, and no notice of a change that was not
 * made. The one that delivers it removes it.
 */
export const NoticeRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    ...noticeFields,
    /** It is for this webhook only, since an operator sent it again. Null: for all that want it. */
    onlyTo: z.string().nullable(),
    /** From when on it waits: it is given up so long after. */
    waitsSinceWallMs: z.number(),
    /** Webhooks that have had it, while others have not. */
    deliveredTo: z.array(z.string()),
  }),
  { area: 'outbox', parts: [1], says: ID_ONLY },
);
export type NoticeRecord = z.infer<typeof NoticeRecordSchema>;

/**
 * `undelivered/<webhook>/<id>`: a notice that a webhook did not take for as long as it was tried.
 * It is kept, up to a number, until an operator sends it again or drops it.
 */
export const UndeliveredRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    ...noticeFields,
    webhook: z.string(),
    /** Why the last try failed. */
    error: z.string(),
    givenUpAtWallMs: z.number(),
  }),
  {
    area: 'undelivered',
    parts: [2],
    says: ([webhook = '', id = '']) => ({ webhook, id }),
    fault: ([webhook = '']) => (isName(webhook) ? null : namesOnly([webhook])),
  },
);
export type UndeliveredRecord = z.infer<typeof UndeliveredRecordSchema>;
