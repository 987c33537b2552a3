import { FEATURE_LEVEL, LEVEL_OF } from '@understudy/shared';

export const isPutBackAt = (level: number = FEATURE_LEVEL): boolean => level >= LEVEL_OF.putBack;
