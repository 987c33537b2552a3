import * as z from 'zod';

/** `GET /v1/enrolments`: which instances were given their key by identity, and who was refused. */
export const EnrolmentsViewSchema = z.object({
  /** False: agents get no key this way here. */
  enabled: z.boolean(),
  enrolments: z.array(
    z.object({
      member: z.string(),
      instanceId: z.string(),
      address: z.string(),
      /** It names the agent's public key: its first 16 characters. */
      publicKey: z.string(),
      keyId: z.number(),
      /** The recovery whose replacement it was. Null: none. */
      opId: z.string().nullable(),
      atWallMs: z.number(),
      revision: z.number(),
      /** It is the activated instance of its member. */
      activated: z.boolean(),
    }),
  ),
  /** Who was given no key within the last hour, as the coordinator that answers remembers it. */
  refused: z.array(
    z.object({
      member: z.string(),
      /** Null: what was sent proves none. */
      instanceId: z.string().nullable(),
      address: z.string(),
      reason: z.string(),
      text: z.string(),
      count: z.number(),
      lastWallMs: z.number(),
    }),
  ),
});
export type EnrolmentsView = z.infer<typeof EnrolmentsViewSchema>;

/** What `POST /v1/enrolments` takes. */
export const EnrolmentRequestSchema = z.strictObject({
  member: z
    .string()
    .max(127)
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}\/[a-z0-9][a-z0-9._-]{0,62}$/, 'want group/name'),
  /** The text of IMDS at `dynamic/instance-identity/rsa2048`. */
  document: z.string().min(1).max(16_384),
  /** X25519, 32 bytes in base64url: the answer is sealed to it. */
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'want 32 bytes in base64url'),
});

/** What it is answered. */
export const EnrolledSchema = z.object({
  keyId: z.number(),
  /** The coordinator's public key of one use, base64url. */
  publicKey: z.string(),
  /** `ID KEY`, sealed (docs/enrolment.md), base64url. */
  sealed: z.string(),
  /** The same agent was answered before. */
  repeated: z.boolean(),
});
export type Enrolled = z.infer<typeof EnrolledSchema>;
