import type { StatusView } from '@understudy/shared';

/** A cluster that is well, for the tests of this package. */
export const statusOf = (over: Partial<StatusView>): StatusView => ({
  coordinatorId: 'c2',
  az: 'us-east-1b',
  version: '0.1.0',
  uptimeMs: 60_000,
  leader: { coordinatorId: 'c1', term: 9 },
  isLeader: false,
  coordinators: [
    {
      coordinatorId: 'c1',
      az: 'us-east-1a',
      httpUrl: 'http://10.0.0.1:8080',
      leader: true,
      version: 'test',
      featureLevel: 1,
    },
  ],
  featureLevels: { understood: 1, agreed: 1, inForce: 1 },
  store: { fresh: true, lastContactAgoMs: 10 },
  observer: {
    ...{ abstains: false, reason: null, heardAgents: 2, watchedAgents: 2 },
    opinions: { alive: 2, suspect: 0, dead: 0, unknown: 0, left: 0 },
  },
  judgement: { standing: 'current', by: 'c1', term: 9, ageMs: 120 },
  counts: { members: 2, alive: 2, suspect: 0, dead: 0, unknown: 0, left: 0, recovering: 0, held: 0 },
  pauses: [],
  holds: [],
  recoveries: [],
  requests: [],
  problems: [],
  ...over,
});
