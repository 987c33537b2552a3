import { KILLED, STOPPED, strikesOfLeaders } from './leader-strikes.ts';

/** The moments in which most is at stake; `leader-faults-all.test.ts` has every one. */
const KILLED_IN = ['fence', 'launch-1', 'address'];
const STOPPED_IN = ['fence', 'launch-1', 'activate'];

strikesOfLeaders(
  KILLED.filter(({ step }) => KILLED_IN.includes(step)),
  STOPPED.filter(({ step }) => STOPPED_IN.includes(step)),
);
