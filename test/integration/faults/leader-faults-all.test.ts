import { KILLED, STOPPED, strikesOfLeaders } from './leader-strikes.ts';

strikesOfLeaders(KILLED, STOPPED);
