import type { Run } from './run.ts';

/** The way out of a hold for something that does not follow; `loss` as `accept-loss` takes it. */
export const giveUpText = (run: Pick<Run, 'record'>, loss: string): string =>
  `Or give it up: understudy accept-loss ${run.record.member} ${loss} --reason TEXT`;
