/**
 * How much of what stands in etcd a build of the coordinator understands, as one number. Each build
 * that writes something an older one would not handle rightly raises it. Records of a level are
 * written only while that level is in force (`docs/upgrading.md`).
 */
export const FEATURE_LEVEL = 2;

/**
 * **S** (S24) The first level whose builds know what policies, plans and records say of this. A
 * build of the level before would not act by it rightly, so none is written before it is in force.
 */
export const LEVEL_OF = {
  /** Ways that need no launch, and several ways one after another. */
  ladder: 2,
  /** Volumes that move, are copied or shared: all but snapshots. */
  volumePaths: 2,
  /** More than Elastic IPs on the primary address. */
  identity: 2,
  /** Records and target groups by the address. */
  names: 2,
  hooks: 2,
  /** Options of a permit, and chores that put back what a launch cannot set. */
  putBack: 2,
  /** The capacity reservation of a candidate. */
  reservation: 2,
  preparations: 2,
  undo: 2,
} as const;

/**
 * The lowest level this build can work at beside others: its own, or the one before. Builds further
 * apart cannot run side by side.
 */
export const OLDEST_FEATURE_LEVEL: number = Math.max(1, FEATURE_LEVEL - 1);
