import type { ClusterSnapshot } from '@understudy/local-cluster';
import type { HistoryRecord, OpenRecoveryView, StatusView } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { narrate, panel, stepWords } from './narrator.ts';

const ONE_ALIVE = { alive: 1, suspect: 0, dead: 0, unknown: 0, left: 0 };
const status = (leader: string | null): StatusView => ({
  coordinatorId: 'c1',
  az: 'a',
  version: '0',
  uptimeMs: 1,
  leader: leader === null ? null : { coordinatorId: leader, term: 9 },
  isLeader: false,
  coordinators: [{ coordinatorId: 'c1', az: 'a', httpUrl: 'http://x', leader: true, version: 'test', featureLevel: 1 }],
  featureLevels: { understood: 1, agreed: 1, inForce: 1 },
  store: { fresh: true, lastContactAgoMs: 1 },
  observer: { abstains: false, reason: null, heardAgents: 1, watchedAgents: 1, opinions: { ...ONE_ALIVE } },
  judgement: { standing: 'current', by: 'c1', term: 9, ageMs: 100 },
  counts: { members: 1, alive: 1, suspect: 0, dead: 0, unknown: 0, left: 0, recovering: 0, held: 0 },
  pauses: [],
  holds: [],
  recoveries: [],
  requests: [],
  problems: [],
});

const snapshot = (more: Partial<ClusterSnapshot>): ClusterSnapshot => ({
  atWallMs: 10_000,
  status: status('c1'),
  members: [],
  recoveries: { open: [], history: [], requests: [] },
  ...more,
});

const open = (steps: OpenRecoveryView['steps']): OpenRecoveryView => ({
  opId: 'op-1',
  member: 'g/m',
  oldInstanceId: 'i-1',
  newInstanceId: null,
  reason: 'silent',
  startedAtWallMs: 1_000,
  lastHeardWallMs: null,
  steps,
  activity: 'waiting for snapshots',
  captureProgressPercent: 40,
  hold: null,
});

describe('narrate', () => {
  it('says nothing when nothing changed', () => expect(narrate(snapshot({}), snapshot({}))).toEqual([]));

  it('names a new leader once', () => {
    const lines = narrate(snapshot({}), snapshot({ status: status('c2') }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('c2 leads');
  });

  it('tells each finished step once, with its duration', () => {
    const started = snapshot({
      recoveries: {
        open: [open([{ step: 'fence', state: 'started', startedAtWallMs: 1, endedAtWallMs: null }])],
        history: [],
        requests: [],
      },
    });
    const done = snapshot({
      recoveries: {
        open: [open([{ step: 'fence', state: 'done', startedAtWallMs: 1_000, endedAtWallMs: 2_500 }])],
        history: [],
        requests: [],
      },
    });
    expect(narrate(snapshot({}), started)[0]).toContain('begins');
    expect(narrate(started, done).join()).toContain('1.5 s');
    expect(narrate(done, done)).toEqual([]);
  });

  it('tells steps that finished together with the recovery', () => {
    const history: HistoryRecord = {
      schemaVersion: 1,
      writeId: 'w',
      writtenBy: 'c1',
      writtenAtWallMs: 1,
      opId: 'op-1',
      member: 'g/m',
      outcome: 'replaced',
      reason: 'silent',
      oldInstanceId: 'i-1',
      ...{ ordinal: 0, oldAz: 'us-east-1a', oldLaunchedAtWallMs: null },
      newInstanceId: 'i-2',
      newIncarnation: 2,
      startedAtWallMs: 1_000,
      endedAtWallMs: 9_000,
      lastHeardWallMs: null,
      leaderChanges: 0,
      fencedBy: 'stopped',
      launchAttempts: 1,
      steps: [{ step: 'done', state: 'done', startedAtWallMs: 8_000, endedAtWallMs: 9_000 }],
      leftovers: [],
      owed: [],
    };
    const lines = narrate(
      snapshot({ recoveries: { open: [open([])], history: [], requests: [] } }),
      snapshot({ recoveries: { open: [], history: [history], requests: [] } }),
    );
    expect(lines.join('\n')).toContain('i-1 → i-2 in 8.0 s');
    expect(lines.join('\n')).toContain('done:');
  });
});

it('the panel shows the progress of snapshots', () =>
  expect(panel(snapshot({ recoveries: { open: [open([])], history: [], requests: [] } }))).toContain('40 %'));

it('a step with a number or a resource behind it has the words of its kind', () => {
  expect(stepWords('launch-2')).toBe(stepWords('launch'));
  expect(stepWords('address-eipalloc-0a')).toContain('Elastic IP');
});
