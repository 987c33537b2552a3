import { PlannedVolumeSchema } from '@understudy/shared';
import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

const tags = z.record(z.string(), z.string());
const capturedSnapshot = z.strictObject({ snapshotId: z.string(), volumeId: z.string() });
/** Attached after the plan was made and captured with the others: the replacement gets them too. */
const beside = z.array(PlannedVolumeSchema).default([]);

export const CAPTURE = {
  name: 'capture',
  per: 'recovery',
  request: z.strictObject({ instanceId: z.string(), description: z.string(), tags }),
  noted: z.strictObject({
    /** The canonical set, once recorded. */
    set: z
      .strictObject({
        number: z.number(),
        snapshots: z.array(capturedSnapshot),
        beside,
        /** When it was recorded: what `captureTimeoutMs` counts from. */
        notedAtWallMs: z.number().default(0),
      })
      .nullable(),
    failedSets: z.array(z.number()),
    /**
     * Those of them that failed while the key of a volume could not be used: they count against
     * nobody.
     */
    lockedSets: z.array(z.number()).optional(),
  }),
  result: z.strictObject({ set: z.number(), snapshots: z.array(capturedSnapshot), beside }),
} as const;

export const IMAGE = {
  name: 'image',
  per: 'recovery',
  request: z.strictObject({
    name: z.string(),
    rootDeviceName: z.string(),
    rootSnapshotId: z.string(),
    architecture: z.string(),
    bootMode: z.string().nullable(),
    enaSupport: z.boolean(),
    tpmSupport: z.string().nullable(),
    sriovNetSupport: z.string().nullable(),
    virtualizationType: z.string().nullable(),
    imdsSupport: z.string().nullable(),
    tags,
  }),
  noted: NOTHING_KEPT,
  result: z.strictObject({ imageId: z.string() }),
} as const;
