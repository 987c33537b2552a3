import * as z from 'zod';

const tags = z.record(z.string(), z.string());

/** One volume of the failed instance, as frozen in the plan. */
export const PlannedVolumeSchema = z.strictObject({
  volumeId: z.string(),
  deviceName: z.string(),
  isRoot: z.boolean(),
  sizeGiB: z.number(),
  volumeType: z.string(),
  iops: z.number().nullable(),
  throughputMiBps: z.number().nullable(),
  encrypted: z.boolean(),
  kmsKeyId: z.string().nullable(),
  deleteOnTermination: z.boolean(),
  tags,
  /** How its content gets to the replacement. Absent: `snapshot`. */
  path: z.string().optional(),
  /** Why it takes this path, and no other. Absent: there was no choice when the plan was made. */
  choice: z
    .strictObject({
      reason: z.string(),
      rejected: z.array(z.strictObject({ path: z.string(), reason: z.string() })),
    })
    .optional(),
  /** The older snapshot that it is made from. Absent: it comes as it was at the fence. */
  from: z.strictObject({ snapshotId: z.string(), takenAtWallMs: z.number() }).optional(),
  /**
   * True: its capture copies only what has changed since an earlier snapshot. Absent: not known.
   */
  hasBase: z.boolean().optional(),
  /** Rate at which EC2 is asked to fetch it from its snapshot, in MiB/s. Absent: EC2's own. */
  initializationRateMiBps: z.number().int().optional(),
});
export type PlannedVolume = z.infer<typeof PlannedVolumeSchema>;
