import { PlacementCandidateSchema, PlannedVolumeSchema, type StepName } from '@understudy/shared';
import * as z from 'zod';

/**
 * What each step keeps in its journal record. `request`: chosen once and frozen before the first
 * effect. `noted`: what was observed on the way and must survive a change of leader. `result`: how
 * it ended.
 */

const nothing = z.strictObject({});
const tags = z.record(z.string(), z.string());
const capturedSnapshot = z.strictObject({ snapshotId: z.string(), volumeId: z.string() });
/** Attached after the plan was made and captured with the others: the replacement gets them too. */
const beside = z.array(PlannedVolumeSchema).default([]);
export type CapturedSnapshot = z.infer<typeof capturedSnapshot>;

const failure = z.enum(['capacity', 'placement', 'unknown', 'key', 'instance']);
/** Result of a step that ended its attempt. */
const failedResult = z.strictObject({ failure });

export const STEP_SHAPES = {
  fence: {
    request: z.strictObject({ oldInstanceId: z.string(), skipOsShutdown: z.boolean() }),
    noted: nothing,
    result: z.strictObject({ how: z.enum(['stopped', 'terminated', 'lease']) }),
  },
  capture: {
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
  },
  image: {
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
    noted: nothing,
    result: z.strictObject({ imageId: z.string() }),
  },
  permit: {
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
        tags,
      }),
    }),
    noted: nothing,
    result: z.union([z.strictObject({ networkInterfaceId: z.string(), privateIp: z.string() }), failedResult]),
  },
  launch: {
    request: z.strictObject({
      networkInterfaceId: z.string(),
      /** The complete RunInstances input, sent exactly as it stands here. */
      run: z.looseObject({ ClientToken: z.string() }),
    }),
    noted: nothing,
    result: z.union([
      z.strictObject({ instanceId: z.string(), foundBy: z.enum(['reply', 'observation', 'revocation']) }),
      failedResult,
    ]),
  },
  verify: {
    request: z.strictObject({ instanceId: z.string() }),
    noted: nothing,
    result: z.union([z.strictObject({ instanceId: z.string() }), failedResult]),
  },
  revoke: {
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
    noted: nothing,
    result: z.strictObject({ instanceTerminated: z.boolean(), permitGone: z.literal(true) }),
  },
  activate: {
    request: z.strictObject({ instanceId: z.string() }),
    noted: nothing,
    result: z.strictObject({ instanceId: z.string(), incarnation: z.number() }),
  },
  address: {
    request: z.strictObject({
      allocationId: z.string(),
      networkInterfaceId: z.string(),
      /** The association on the failed instance that may be removed; null: none was there. */
      associationId: z.string().nullable(),
    }),
    /** A later association on the failed instance, recorded before its removal. */
    noted: z.strictObject({ associationId: z.string().nullable() }),
    /** `lost`: it does not exist any more, in words. */
    result: z.union([z.strictObject({ associationId: z.string() }), z.strictObject({ lost: z.string() })]),
  },
  done: {
    request: z.strictObject({ instanceId: z.string() }),
    noted: nothing,
    result: nothing,
  },
} as const satisfies Record<StepName, { request: z.ZodType; noted: z.ZodType; result: z.ZodType }>;

type Shapes = typeof STEP_SHAPES;
export type RequestOf<N extends StepName> = z.infer<Shapes[N]['request']>;
export type NotedOf<N extends StepName> = z.infer<Shapes[N]['noted']>;
export type ResultOf<N extends StepName> = z.infer<Shapes[N]['result']>;

/** `result` of a record that is still `started`. */
export const progressSchema = z.strictObject({
  /** How often each call of the step was about to be sent, by any leader. */
  sends: z.record(z.string(), z.number()),
  noted: z.unknown().optional(),
});
export type Sends = Readonly<Record<string, number>>;
