import * as z from 'zod';
import { HoldReasonSchema } from './cluster.ts';
import { MemberIdSchema, ofMember, placed, recordBase } from './record.ts';

/**
 * What an operator can ask of a recovery (`docs/ways-out.md`). `recover` begins one of an instance
 * that we have stopped; `undo` puts the last one back.
 */
export const REQUEST_KINDS = ['retry', 'replan', 'accept-loss', 'abandon', 'recover', 'undo'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/**
 * What may be given up: an address of the plan (or one that strayed to the old instance), or a
 * volume that is gone.
 */
export const AcceptedLossSchema = z
  .string()
  .regex(
    /^(?:(?:address:eipalloc-|volume:vol-|interface:eni-)[0-9a-z]{1,64}|(?:primary|secondary|ipv6|prefix):[0-9a-f.:/]{2,64}|(?:record|target|hook):[A-Za-z0-9._-]{1,400})$/,
  );

/** The operator and the reason. They are shown, logged and kept in history. */
export const operatorFields = {
  by: z.string().min(1).max(200),
  why: z.string().min(1).max(500),
};

/**
 * `requests/<group>/<member>`: the leader writes it for an operator, and the transaction that has
 * carried it out removes it. It names the recovery it is about, so one that lands late cannot hit a
 * later one.
 */
export const OperatorRequestRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    member: MemberIdSchema,
    kind: z.enum(REQUEST_KINDS),
    opId: z.string(),
    ...operatorFields,
    atWallMs: z.number(),
    /** `accept-loss`: what is given up. Null otherwise. */
    loss: AcceptedLossSchema.nullable(),
    /** `abandon`: leave an open attempt as it is and name it, instead of ending it first. */
    leaveOpen: z.boolean(),
    /** `recover`: gates that do not stop it, each by name. Absent: none. */
    overrides: z.array(HoldReasonSchema).optional(),
    /** `recover`: only by the plan that was shown under this token. Absent: by any. */
    planToken: z.string().max(64).optional(),
    /** `recover`: this way, whatever the ladder would take. Absent: as the policy says. */
    strategy: z.string().max(64).optional(),
    /** `undo`: writes of this long may be lost, in ms. Absent: none may. */
    acceptLossMs: z.number().int().min(0).optional(),
    /**
     * Not carried out after this wall time: what a person has seen is not so for ever. Absent: it
     * waits until it can be.
     */
    untilWallMs: z.number().optional(),
  }),
  { area: 'requests', parts: [2], says: ofMember },
);
export type OperatorRequestRecord = z.infer<typeof OperatorRequestRecordSchema>;

/** One request that was carried out, as kept in the intent and then in history. */
export const OperatorActSchema = z.strictObject({
  kind: z.enum(REQUEST_KINDS),
  ...operatorFields,
  atWallMs: z.number(),
  carriedOutAtWallMs: z.number(),
  /** The outcome, in words. */
  text: z.string(),
});
export type OperatorAct = z.infer<typeof OperatorActSchema>;
