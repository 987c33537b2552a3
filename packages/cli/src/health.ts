import type { StatusView } from '@understudy/shared';
import { EXIT } from './exit-codes.ts';

/** Summary of a status, for scripts. Each has an exit code of its own. */
export type Health = 'well' | 'under-way' | 'needs-a-person' | 'leaderless';

export const HEALTH_EXIT: Readonly<Record<Health, number>> = {
  well: EXIT.ok,
  'under-way': EXIT.underWay,
  'needs-a-person': EXIT.needsPerson,
  leaderless: EXIT.leaderless,
};

/** A problem whose remedy is "none" passes by itself. */
export const wantsPerson = ({ remedy }: StatusView['problems'][number]): boolean => !/^none\b/.test(remedy);

/**
 * The worst of these: there is no leader, or etcd does not answer · a hold or a problem, which a
 * person has to act on · a recovery, or a member that is not (known to be) alive, which needs
 * nobody · all is well. A pause is an operator's will, and a member that left was stopped on
 * purpose.
 */
export function healthOf(status: StatusView): Health {
  const { counts, leader, store, problems } = status;
  if (leader === null || !store.fresh) return 'leaderless';
  if (counts.held > 0 || status.holds.length > 0 || problems.some(wantsPerson)) return 'needs-a-person';
  const restless = counts.recovering + counts.suspect + counts.dead + counts.unknown + problems.length;
  return restless > 0 || status.judgement.standing !== 'current' ? 'under-way' : 'well';
}
