import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

/** Snapshots of a suspect's disks, so that those of its recovery have less to copy. */
export const WARM_UP = {
  name: 'warmup',
  per: 'recovery',
  request: z.strictObject({
    instanceId: z.string(),
    description: z.string(),
    tags: z.record(z.string(), z.string()),
  }),
  noted: NOTHING_KEPT,
  /** Empty: nothing was made, or nobody knows what. What was is found by its tags. */
  result: z.strictObject({ snapshotIds: z.array(z.string()) }),
} as const;
