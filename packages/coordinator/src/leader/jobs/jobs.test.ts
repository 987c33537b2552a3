import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { leaderJobs, type LeaderJobParts } from './leader-jobs.ts';

test('every job has a name of its own, and a pace', () => {
  const pace = { tickMs: 250, enrolEveryMs: 15_000, evidenceEveryMs: 5_000, collectEveryMs: 60_000 };
  const enroller = { name: 'enrol', everyMs: pace.enrolEveryMs };
  const notify = { webhooks: [], topics: [], eventBuses: [] };
  const events = { statesFreshForMs: 60_000, queue: null };
  const parts = { pace, enroller, notify, events, clock: new SimClock(), log: new RecordingLog() };
  const jobs = leaderJobs(parts as unknown as LeaderJobParts);
  expect(Object.fromEntries(jobs.map((job) => [job.name, job.everyMs]))).toEqual({
    audit: 60_000,
    enrol: 15_000,
    'serve contracts': 15_000,
    'feature level': 1_000,
    policies: 1_000,
    readiness: 1_000,
    evidence: 5_000,
    console: 250,
    holds: 250,
    judgements: 250,
    'lost-zones': 250,
    findings: 250,
    requests: 15_000,
    'late starts': 5_000,
    undos: 250,
    collect: 60_000,
    ownership: 60_000,
    'failure hooks': 1_000,
  });
  expect(new Set(jobs.map((job) => job.name)).size).toBe(jobs.length);
});
