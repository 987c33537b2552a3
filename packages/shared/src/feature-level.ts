/**
 * What a build of the coordinator understands of what stands in etcd, as one number: raised by each
 * build that writes something an older one would not act by rightly. What belongs to a level is
 * written only while that level is in force (`docs/upgrading.md`).
 */
export const FEATURE_LEVEL = 1;

/**
 * The lowest level this build can work at beside others: its own, or the one before. Builds further
 * apart cannot run side by side.
 */
export const OLDEST_FEATURE_LEVEL: number = Math.max(1, FEATURE_LEVEL - 1);
