import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

/** Puts the disks that were taken off the old instance on it again. */
export const GIVEBACK = {
  name: 'giveback',
  per: 'recovery',
  request: z.strictObject({
    instanceId: z.string(),
    /** `not-mended`: the step closes the recovery, for the next way. Otherwise a person ends it. */
    ends: z.enum(['not-mended', 'abandoned']),
    why: z.string(),
    disks: z.array(z.strictObject({ volumeId: z.string(), deviceName: z.string(), deleteOnTermination: z.boolean() })),
  }),
  noted: NOTHING_KEPT,
  result: z.strictObject({
    /** Where each disk is, in words. Empty: all are where they were. */
    leftAs: z.array(z.string()),
  }),
} as const;
