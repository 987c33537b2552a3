import type { PlannedVolume } from '@understudy/shared';

/**
 * EC2 gives the rate that is asked for or refuses the whole launch. Under which code it does so
 * is not documented: it is known by its words.
 */
export const isRateRefusal = (text: string): boolean => /initialization ?rate/i.test(text);

/** The same disks, filled at EC2's own pace. */
export const withoutRate = (volumes: readonly PlannedVolume[]): readonly PlannedVolume[] =>
  volumes.map(({ initializationRateMiBps: _, ...volume }) => volume);
