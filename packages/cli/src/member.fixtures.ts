import type { MemberView } from '@understudy/shared';

/** A member that is alive, for the tests of this package. */
export const memberOf = (more: Partial<MemberView>): MemberView => ({
  member: 'db/primary',
  instanceId: 'i-1',
  incarnation: 1,
  az: 'us-east-1a',
  verdict: 'alive',
  reasonCode: 'Heard',
  reason: 'heard 300 ms ago',
  judged: { standing: 'current', by: 'c1', term: 7, verdict: 'alive', ageMs: 100, sinceWallMs: 1 },
  refusedDatagrams: null,
  unexpectedHeartbeats: [],
  ownView: { observer: 'c1', verdict: 'alive', reason: 'Heard' },
  degraded: false,
  lastHeardAgoMs: 300,
  opinions: [],
  checks: [],
  hold: null,
  recovery: null,
  readinessProblems: [],
  ...more,
});
