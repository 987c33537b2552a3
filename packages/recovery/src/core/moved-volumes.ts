import type { PlannedVolume } from '@understudy/shared';

type Routed = Pick<PlannedVolume, 'path'>;

/** Paths that take the disk itself to the replacement. */
const MOVING: ReadonlySet<string> = new Set(['reattach', 'multi-attach']);
/** Paths whose disks are put on after the launch; EC2 then keeps them when the instance ends. */
const PUT_ON_LATER: ReadonlySet<string> = new Set([...MOVING, 'copy']);

/** The old instance leaves nothing of it behind: the replacement has the very disk. */
export const movesItself = ({ path }: Routed): boolean => path !== undefined && MOVING.has(path);

export const isPutOnLater = ({ path }: Routed): boolean => path !== undefined && PUT_ON_LATER.has(path);
