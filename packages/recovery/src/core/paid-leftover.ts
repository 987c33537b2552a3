import type { Leftover } from '@understudy/shared';

/** It is of no use to anybody once the recovery is over, and goes at once. */
export const isPaidAsInstance = (kind: Leftover['kind']): boolean => kind === 'capacity-reservation';
