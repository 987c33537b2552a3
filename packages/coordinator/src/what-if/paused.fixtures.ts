import type { ActivePause } from '../policy/pauses.ts';

export const pausesInForceFixture = (member: string): readonly ActivePause[] => [
  { scope: `member/${member}`, who: 'ops', why: 'work', untilWallMs: null },
];
