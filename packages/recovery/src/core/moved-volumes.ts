import type { PlannedVolume } from '@understudy/shared';
import { SEEDED } from './paths/path-options.ts';

type Routed = Pick<PlannedVolume, 'path'>;

/** Paths that take the disk itself to the replacement. */
const MOVING: ReadonlySet<string> = new Set(['reattach', 'multi-attach']);

/** The old instance leaves nothing of it behind: the replacement has the very disk. */
export const movesItself = ({ path }: Routed): boolean => path !== undefined && MOVING.has(path);

/** It is put on after the launch; EC2 then keeps it when the instance ends. */
export const isPutOnLater = ({ path }: Routed): boolean => path !== undefined && SEEDED.has(path);
