import * as z from 'zod';

/** Why something that is due has not been done yet. */
const obstacle = z.strictObject({
  /** Code of the last try: EC2's error code, or ours. */
  code: z.string(),
  text: z.string(),
  /** When it stood in the way first, in this form. */
  sinceWallMs: z.number(),
});
export type Obstacle = z.infer<typeof obstacle>;

/** A resource a recovery leaves behind, on the books until it is seen gone. */
export const LeftoverSchema = z.strictObject({
  /**
   * The kind's name, as given by the code that makes such a resource. One that this build does not
   * know is kept.
   */
  kind: z.string().min(1),
  id: z.string(),
  /**
   * When it may be removed at the earliest. Null: never by us, because it holds data and the policy
   * names no time for it.
   */
  afterWallMs: z.number().nullable(),
  /** Null: nothing is in its way. */
  obstacle: obstacle.nullable(),
});
export type Leftover = z.infer<typeof LeftoverSchema>;

/**
 * Something a launch cannot carry and that is put in place afterwards. Each is idempotent, only
 * adds, and says everything that any leader needs to do it later. `instanceId` says whose chore it
 * is; a replacement's is moot once the activation names another instance.
 */
export const ChoreSchema = z.discriminatedUnion('kind', [
  /** Tags of one volume of the replacement, by device. Tags that exist already are not touched. */
  z.strictObject({
    kind: z.literal('volume-tags'),
    instanceId: z.string(),
    deviceName: z.string(),
    tags: z.record(z.string(), z.string()),
  }),
  /**
   * Makes the permit go with the instance it became part of. Ours was made before the instance, so
   * EC2 would keep it for ever.
   */
  z.strictObject({ kind: z.literal('bind-interface'), instanceId: z.string(), networkInterfaceId: z.string() }),
  /**
   * Makes a disk go with the instance, as its predecessor had it: EC2 keeps what was attached after
   * the launch. `volumeId`: the disk that was put there, because another one under its device is
   * somebody's. Absent: written by an older build.
   */
  z.strictObject({
    kind: z.literal('bind-disk'),
    instanceId: z.string(),
    deviceName: z.string(),
    volumeId: z.string().optional(),
  }),
  /** Stop and termination protection, as far as the failed instance had them. */
  z.strictObject({
    kind: z.literal('protect'),
    instanceId: z.string(),
    stop: z.boolean(),
    termination: z.boolean(),
  }),
  /** Whether AWS may move it to another host at a reboot that it has scheduled. */
  z.strictObject({ kind: z.literal('reboot-migration'), instanceId: z.string(), value: z.string() }),
  /** DNS records of its resource name. */
  z.strictObject({ kind: z.literal('dns-records'), instanceId: z.string(), a: z.boolean(), aaaa: z.boolean() }),
  /**
   * The marks of a retired resource on a data volume that outlives its instance (here: the failed
   * one).
   */
  z.strictObject({
    kind: z.literal('retire-volume'),
    instanceId: z.string(),
    volumeId: z.string(),
    tags: z.record(z.string(), z.string()),
  }),
]);
export type Chore = z.infer<typeof ChoreSchema>;

/** A chore that could not be done before its recovery was closed. The collector goes on trying. */
export const OwedChoreSchema = z.strictObject({ chore: ChoreSchema, obstacle });
export type OwedChore = z.infer<typeof OwedChoreSchema>;
