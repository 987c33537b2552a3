import { PlacementCandidateSchema } from '@understudy/shared';
import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

/** What one launch attempt writes: its steps read each other's records. */

const tags = z.record(z.string(), z.string());
const failure = z.enum(['capacity', 'placement', 'unknown', 'key', 'instance']);
/** Result of a step that ended its attempt. */
export const failedResult = z.strictObject({ failure });

export const PERMIT = {
  name: 'permit',
  per: 'attempt',
  request: z.strictObject({
    /**
     * Attempts are counted anew when a person has removed the hold that ended the round before.
     */
    round: z.number().int().min(1),
    candidateIndex: z.number().int().min(0),
    candidate: PlacementCandidateSchema,
    create: z.strictObject({
      clientToken: z.string(),
      subnetId: z.string(),
      groupIds: z.array(z.string()),
      description: z.string(),
      /** Absent: EC2 chooses one. */
      privateIp: z.string().optional(),
      interfaceType: z.string().optional(),
      connectionTracking: z.record(z.string(), z.number()).optional(),
      tags,
    }),
  }),
  noted: NOTHING_KEPT,
  result: z.union([z.strictObject({ networkInterfaceId: z.string(), privateIp: z.string() }), failedResult]),
} as const;

export const LAUNCH = {
  name: 'launch',
  per: 'attempt',
  request: z.strictObject({
    networkInterfaceId: z.string(),
    /** The complete RunInstances input, sent exactly as it stands here. */
    run: z.looseObject({ ClientToken: z.string() }),
  }),
  noted: NOTHING_KEPT,
  result: z.union([
    z.strictObject({ instanceId: z.string(), foundBy: z.enum(['reply', 'observation', 'revocation']) }),
    failedResult,
  ]),
} as const;

export const VERIFY = {
  name: 'verify',
  per: 'attempt',
  request: z.strictObject({ instanceId: z.string() }),
  noted: NOTHING_KEPT,
  result: z.union([z.strictObject({ instanceId: z.string() }), failedResult]),
} as const;

export const REVOKE = {
  name: 'revoke',
  per: 'attempt',
  request: z.strictObject({
    round: z.number().int().min(1),
    candidateIndex: z.number().int().min(0),
    failure,
    text: z.string(),
    /** To be terminated: what the attempt launched; null when nothing was found. */
    instanceId: z.string().nullable(),
    /** To be deleted; null when the attempt never got as far as a recorded permit. */
    networkInterfaceId: z.string().nullable(),
    /** Attempts of the unbroken series that made nothing, this one included; 0: it launched. */
    seriesLength: z.number().int().min(0).default(0),
    seriesSinceWallMs: z.number().default(0),
  }),
  noted: NOTHING_KEPT,
  result: z.strictObject({ instanceTerminated: z.boolean(), permitGone: z.literal(true) }),
} as const;
