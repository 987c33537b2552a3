import { FEATURE_LEVEL } from '@understudy/shared';

/**
 * **S** (S24) Builds of the level before know neither the options of a permit in a plan nor the
 * chores that put back what a launch cannot set.
 */
const PUT_BACK_LEVEL = 2;

export const isPutBackAt = (level: number = FEATURE_LEVEL): boolean => level >= PUT_BACK_LEVEL;
