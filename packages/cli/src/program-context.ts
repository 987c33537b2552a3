import type { Clock, Random } from '@understudy/shared';

/** What commands need from outside. */
export interface ProgramContext {
  readonly clock: Clock;
  /** For new secrets. */
  readonly random: Random;
  readonly environment: NodeJS.ProcessEnv;
}

/** For options that may be given several times. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
