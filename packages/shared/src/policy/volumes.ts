import * as z from 'zod';
import { duration } from '../duration-field.ts';

/** How the content of a disk can get to a replacement (`docs/volume-paths.md`). */
export const VOLUME_PATHS = ['reattach', 'copy', 'snapshot', 'latest-snapshot', 'multi-attach'] as const;
export type VolumePathName = (typeof VOLUME_PATHS)[number];

const path = z.enum(VOLUME_PATHS);

/** `all`, a device name, or the id of a volume. The more exact one is obeyed. */
const disk = z
  .string()
  .regex(/^(?:all|vol-[0-9a-z]+|\/dev\/\S+|xvd\S+)$/, 'want all, a device name (/dev/sdf), or vol-…');

/** How the disks of a member get to its replacement. Durations in ms. */
export const volumesFields = z.strictObject({
  /**
   * Disks that take this path and no other: `{ "/dev/sdf": "copy" }`. Keys are device names, ids of
   * volumes, or `all`. Where the path cannot be taken the recovery is refused, with a readiness
   * problem. Empty: the fastest path that loses nothing.
   */
  pin: z.record(disk, path).default({}),
  /** Paths that are not taken, by the same keys: `{ "all": ["copy"] }`. */
  forbid: z.record(disk, z.array(path).max(VOLUME_PATHS.length)).default({}),
  /**
   * A disk that cannot be reached (it failed, or its zone is lost) may come back as an earlier
   * snapshot has it, if that is at most this old. What was written since is lost. Null = never: the
   * recovery waits for the disk, or for a person. 0 to 2 592 000 000 (30 d).
   */
  maxDataLossMs: duration(z.number().int().min(0).max(2_592_000_000)).nullable().default(null),
  /**
   * Take earlier snapshots of different moments for the disks of one member. False: only such as
   * were taken at the same moment, so that what is spread over disks fits together.
   */
  mixedMoments: z.boolean().default(false),
  /**
   * MiB/s at which EC2 fills a volume that is made from a snapshot, 100 to 300; it costs by GiB and
   * rate. Null = at EC2's own pace, as blocks are read. Where the account's quota does not allow it
   * the launch goes on without.
   */
  initializationRateMiBps: z.number().int().min(100).max(300).nullable().default(null),
});
export type VolumesPolicy = z.infer<typeof volumesFields>;
