import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';
import { failedResult } from './attempt-records.ts';

/** What moves disks writes. Steps of several rooms read it. */

const disk = z.strictObject({ volumeId: z.string(), deviceName: z.string() });
export type Disk = z.infer<typeof disk>;

/** Takes one volume off the failed instance. Done once in a recovery, for each volume. */
export const DETACH = {
  name: 'detach',
  per: 'item',
  request: z.strictObject({ volumeId: z.string(), instanceId: z.string(), deviceName: z.string() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({
    volumeId: z.string(),
    /** A call was sent whose outcome is not known; it may still land. */
    isOpen: z.literal(true).optional(),
    /** A Stop by which a late start was ended is without an answer, and was not seen to work. */
    stopIsOpen: z.literal(true).optional(),
  }),
} as const;

/** Copies one volume of the failed instance. Done once in a recovery, for each volume. */
export const COPY = {
  name: 'copy',
  per: 'item',
  request: z.strictObject({
    clientToken: z.string(),
    sourceVolumeId: z.string(),
    volumeType: z.string(),
    iops: z.number().nullable(),
    throughputMiBps: z.number().nullable(),
    kmsKeyId: z.string().nullable(),
    tags: z.record(z.string(), z.string()),
  }),
  /** The copy, as soon as EC2 has told its id. */
  noted: z.strictObject({ volumeId: z.string() }),
  result: z.strictObject({ volumeId: z.string() }),
} as const;

/** Stops what attempt n has launched, before it is given disks. */
export const SEED = {
  name: 'seed',
  per: 'attempt',
  request: z.strictObject({ instanceId: z.string() }),
  noted: NOTHING_KEPT,
  result: z.union([
    z.strictObject({
      instanceId: z.string(),
      /** As EC2 told it of the stopped seed: a later one is a start since. */
      launchedAtWallMs: z.number(),
      /** Disks that came with the seed, and that nobody wants. */
      ownDisks: z.array(disk),
      /** A Stop of it was sent whose outcome is not known: it may still land. Absent: none was. */
      stopIsOpen: z.literal(true).optional(),
    }),
    failedResult,
  ]),
} as const;

/** Gives the stopped seed its disks and user data, and starts it as the member. */
export const ASSEMBLE = {
  name: 'assemble',
  per: 'attempt',
  request: z.strictObject({
    instanceId: z.string(),
    seedLaunchedAtWallMs: z.number(),
    ownDisks: z.array(disk),
    disks: z.array(disk),
    /** Base64. Null: the member has none. */
    userData: z.string().nullable(),
    /** Tags it does not carry yet, because it was launched in quarantine. Absent: it was not. */
    tags: z.record(z.string(), z.string()).optional(),
  }),
  noted: NOTHING_KEPT,
  result: z.union([z.strictObject({ instanceId: z.string() }), failedResult]),
} as const;
