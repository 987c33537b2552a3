import * as z from 'zod';
import { MemberIdSchema, ofMember, placed, recordBase } from './record.ts';

/**
 * `enrolments/<group>/<member>`: which instance of a member was given the member's key for its
 * signed identity (S34), and to whom there: whoever holds the private half of this key is answered
 * again, and nobody else until an operator resets it. The newest instance only.
 */
export const KeyEnrolmentRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    member: MemberIdSchema,
    instanceId: z.string(),
    /** Raw X25519 public key of the agent, base64url. */
    publicKey: z.string().max(64),
    /** The address it spoke from. */
    address: z.string().max(64),
    /** When EC2 launched or started the instance, by its document. */
    pendingWallMs: z.number(),
    /** The open recovery whose replacement it was. Null: it was the activated instance. */
    opId: z.string().nullable(),
    /** Id of the master secret that the key is derived from. */
    keyId: z.number().int(),
    atWallMs: z.number(),
  }),
  { area: 'enrolments', parts: [2], says: ofMember },
);
export type KeyEnrolmentRecord = z.infer<typeof KeyEnrolmentRecordSchema>;
