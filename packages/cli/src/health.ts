import type { StatusView } from '@understudy/shared';
import { EXIT } from './exit-codes.ts';

/** What a status comes to, for scripts; each has an exit code of its own. */
export type Health = 'well' | 'under-way' | 'needs-a-person' | 'leaderless';

export const HEALTH_EXIT: Readonly<Record<Health, number>> = {
  well: EXIT.ok,
  'under-way': EXIT.underWay,
  'needs-a-person': EXIT.needsPerson,
  leaderless: EXIT.leaderless,
};

/** A problem whose remedy is "none" passes by itself. */
const wantsPerson = ({ remedy }: StatusView['problems'][number]): boolean => !/^none\b/.test(remedy);

/**
 * The worst of: nobody leads, or etcd does not answer · a hold or a problem, for which somebody has
 * to do something · a recovery, or a member that is not (known to be) alive, for which nobody has
 * to · all is well. A pause is somebody's will, and a member that left was stopped on purpose.
 */
export function healthOf(status: StatusView): Health {
  const { counts, leader, store, problems } = status;
  if (leader === null || !store.fresh) return 'leaderless';
  if (counts.held > 0 || status.holds.length > 0 || problems.some(wantsPerson)) return 'needs-a-person';
  const restless = counts.recovering + counts.suspect + counts.dead + counts.unknown + problems.length;
  return restless > 0 || status.judgement.standing !== 'current' ? 'under-way' : 'well';
}
