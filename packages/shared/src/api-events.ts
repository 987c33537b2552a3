import * as z from 'zod';
import { MemberIdSchema } from './records/record.ts';
import { NOTICE_KINDS, NOTICE_SEVERITIES } from './records/notice.ts';

/** Every kind of event: all that notices tell of, and what is told to those only who look. */
export const EVENT_KINDS = [
  ...NOTICE_KINDS,
  'recovery.step',
  'recovery.plan-changed',
  'recovery.acknowledged',
  'hold.changed',
  'pause.changed',
  'leader.lost',
  'coordinator.joined',
  'coordinator.left',
  'operator.asked',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/**
 * One change of state, as `GET /v1/events` tells it. It is made of what stands in etcd only, so
 * that every coordinator tells the same, under the same id.
 */
export const EventSchema = z.object({
  /** `<revision>.<write>.<number>`: of etcd, of the write within it, of the event of that write. */
  id: z.string().regex(/^\d+\.\d+\.\d+$/),
  kind: z.enum(EVENT_KINDS),
  severity: z.enum(NOTICE_SEVERITIES),
  /** Null: it is about everything. */
  group: z.string().nullable(),
  /** Null: it is about no single member. */
  member: MemberIdSchema.nullable(),
  /** The recovery it is about. Null: it is about none. */
  opId: z.string().nullable(),
  /** When its writer wrote it. Null: something was removed, and nobody wrote when. */
  atWallMs: z.number().nullable(),
  what: z.string(),
  why: z.string(),
  /** What happens next, or what a person does. */
  next: z.string(),
});
export type FleetEvent = z.infer<typeof EventSchema>;

/** `GET /v1/events` as JSON: a page of events, the oldest first. */
export const EventsViewSchema = z.object({
  events: z.array(EventSchema),
  /** What was asked for begins before what is kept here: read the state anew. */
  reset: z.boolean(),
  /** For `after` of the next page: what follows the last event of this one. */
  cursor: z.string(),
  /** There is more than fits this page. */
  more: z.boolean(),
});
export type EventsView = z.infer<typeof EventsViewSchema>;
