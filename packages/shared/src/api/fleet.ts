import * as z from 'zod';
import { StandingSchema, StatusViewSchema } from '../api.ts';
import { HoldRecordSchema, OpinionVerdictSchema } from '../records/cluster.ts';
import { MemberIdSchema } from '../records/record.ts';

/**
 * `GET /v1/fleet` and its stream: every member in few bytes, with what each coordinator hears. It
 * is made while somebody looks, and decides nothing.
 */

/** A coordinator as an observer: a column of {@link FleetHeardSchema}. */
const FleetObserverSchema = z.object({
  coordinatorId: z.string(),
  az: z.string(),
  leader: z.boolean(),
  /** It is the one that answers. */
  self: z.boolean(),
  /** Age of its answer. Null: it has not answered since somebody looks. */
  answeredAgoMs: z.number().nullable(),
  /** Why it accuses nobody at the moment. Null: it does not abstain, or has not answered. */
  abstains: z.string().nullable(),
  /** Why it does not answer us. Null: it does. */
  problem: z.string().nullable(),
});
export type FleetObserver = z.infer<typeof FleetObserverSchema>;

/** One member, without what changes at every heartbeat. */
export const FleetMemberSchema = z.object({
  member: MemberIdSchema,
  instanceId: z.string(),
  az: z.string(),
  verdict: OpinionVerdictSchema,
  reasonCode: z.string(),
  reason: z.string(),
  /** Null: not known. */
  sinceWallMs: z.number().nullable(),
  degraded: z.boolean(),
  /** The leader's standing behind the verdict. */
  standing: StandingSchema.shape.standing,
  hold: HoldRecordSchema.pick({ reason: true, text: true, sinceWallMs: true, untilWallMs: true }).nullable(),
  /** opId of its open recovery. Null: none. */
  recovery: z.string().nullable(),
  /** How that brings it back. Absent: there is none, or an older build answers. */
  strategy: z.string().optional(),
  /** Scope of a pause that holds it. Null: none does. */
  paused: z.string().nullable(),
  /** What each observer thinks of it, in the order of `observers`. Null: it has no opinion. */
  opinions: z.array(OpinionVerdictSchema.nullable()),
  /** How many things would refuse or spoil a recovery of it now. */
  readinessProblems: z.number(),
});
export type FleetMember = z.infer<typeof FleetMemberSchema>;

/**
 * What is heard of every member, one list for each observer. Both lists are as long as `members`.
 */
const FleetHeardSchema = z.object({
  /** Age of the last authentic heartbeat, in tenths of a second. -1: never heard, or not known. */
  ageDs: z.array(z.array(z.number())),
  /** φ times ten, as in `MemberView`: shown, never decided upon. -1: not known. */
  phiTenths: z.array(z.array(z.number())),
});
export type FleetHeard = z.infer<typeof FleetHeardSchema>;

const fleetHead = {
  /** The coordinator that answers. */
  coordinatorId: z.string(),
  /** By its clock. */
  atWallMs: z.number(),
  store: StatusViewSchema.shape.store,
  judgement: StandingSchema,
  observers: z.array(FleetObserverSchema),
};

/** The whole fleet: `GET /v1/fleet`, and the event `fleet` that begins a stream. */
export const FleetViewSchema = z.object({
  ...fleetHead,
  /** In alphabetical order. */
  members: z.array(FleetMemberSchema),
  heard: FleetHeardSchema,
});
export type FleetView = z.infer<typeof FleetViewSchema>;

/**
 * The event `delta`: what changed since the event before. The members are those of the last `fleet`
 * event, in its order; when members come or go there is another `fleet` event.
 */
export const FleetDeltaSchema = z.object({
  ...fleetHead,
  changed: z.array(z.object({ index: z.number(), member: FleetMemberSchema })),
  heard: FleetHeardSchema,
});
export type FleetDelta = z.infer<typeof FleetDeltaSchema>;

/**
 * `GET /v1/heard`: what one coordinator's own observer hears. Coordinators ask it of each other.
 */
export const HeardViewSchema = z.object({
  coordinatorId: z.string(),
  /** Why it accuses nobody at the moment. Null: it does not abstain. */
  abstains: z.string().nullable(),
  /** Stands for the members and their order: equal where those are. */
  order: z.string(),
  /** In alphabetical order. Null: the caller knows them, as it named this `order`. */
  members: z.array(MemberIdSchema).nullable(),
  ageDs: z.array(z.number()),
  phiTenths: z.array(z.number()),
});
export type HeardView = z.infer<typeof HeardViewSchema>;
