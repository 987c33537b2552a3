/**
 * How much of what stands in etcd a build of the coordinator understands, as one number. Each build
 * that writes something an older one would not handle rightly raises it. Records of a level are
 * written only while that level is in force (`docs/upgrading.md`).
 */
export const FEATURE_LEVEL = 2;

/**
 * The lowest level this build can work at beside others: its own, or the one before. Builds further
 * apart cannot run side by side.
 */
export const OLDEST_FEATURE_LEVEL: number = Math.max(1, FEATURE_LEVEL - 1);
