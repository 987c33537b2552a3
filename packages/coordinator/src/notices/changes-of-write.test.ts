import { keyspace, type MemberId, type WallMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { changesOf, type RecordsBefore } from './changes-of-write.ts';
import { fold } from './fold.ts';

const KEYS = keyspace();
const DB: MemberId = 'prod/db1';
const NOW = 1_000_000 as WallMs;

const stored = (record: object) => ({ record, modRevision: 5 });
function recordsWith(tables: Readonly<Record<string, ReadonlyMap<string, object>>> = {}): RecordsBefore {
  const areas = ['judgements', 'activations', 'holds', 'pauses', 'findings', 'groups'];
  const filled = areas.map((area) => [
    area,
    new Map([...(tables[area] ?? [])].map(([key, record]) => [key, stored(record)])),
  ]);
  return { root: KEYS.root, ...Object.fromEntries(filled) } as RecordsBefore;
}
const changes = (
  write: { puts?: readonly (readonly [key: string, record: object, expect?: number])[]; deletes?: readonly string[] },
  before = recordsWith(),
) =>
  changesOf(
    {
      puts: (write.puts ?? []).map(([key, record, expected = 0]) => ({ key, record, expect: expected })),
      deletes: (write.deletes ?? []).map((key) => ({ key, expect: 5 })),
    },
    before,
    NOW,
  );
const judged = (verdict: string) => [KEYS.judgement(DB), { member: DB, verdict, reason: 'because' }] as const;
const held = (reason: string) => ({ member: DB, reason, text: '3 of 4 failed', opId: null });

describe('a write tells of', () => {
  test('a verdict that is another one than before, and of no other', () => {
    const before = recordsWith({ judgements: new Map([[DB, { verdict: 'suspect' }]]) });
    expect(changes({ puts: [judged('dead')] }, before)).toMatchObject([
      { kind: 'member.dead', severity: 'critical', group: 'prod', member: DB, what: 'prod/db1 is dead, was suspect' },
    ]);
    expect(changes({ puts: [judged('suspect')] }, before)).toEqual([]);
  });

  test('a first verdict only when it is bad', () => {
    expect(changes({ puts: [judged('alive')] })).toEqual([]);
    expect(changes({ puts: [judged('dead')] })).toMatchObject([{ kind: 'member.dead', what: 'prod/db1 is dead' }]);
  });

  test('a recovery that begins, once, and not also of the hold that it ends', () => {
    const plan = { strategy: 'stop-start' };
    const intent = { member: DB, opId: 'op-1', oldInstanceId: 'i-1', reason: 'nobody hears it', plan };
    const before = recordsWith({ holds: new Map([[DB, held('MassFailure')]]) });
    const write = { puts: [[KEYS.intent(DB), intent, 0] as const], deletes: [KEYS.hold(DB)] };
    expect(changes(write, before)).toMatchObject([
      {
        ...{ kind: 'recovery.begun', opId: 'op-1', why: 'nobody hears it' },
        next: 'it is to come back on the instance it has: understudy recoveries',
      },
    ]);
    expect(changes({ puts: [[KEYS.intent(DB), intent, 7]] })).toEqual([]);
  });

  test('another instance that may serve, and a member that is new; not of an ordinal that is raised', () => {
    const now = { member: DB, instanceId: 'i-2', incarnation: 2 };
    const before = recordsWith({ activations: new Map([[DB, { instanceId: 'i-1' }]]) });
    expect(changes({ puts: [[KEYS.activation(DB), now, 5]] }, before)).toMatchObject([
      { kind: 'recovery.activated', what: 'prod/db1 is played by i-2 from now on (incarnation 2)' },
    ]);
    expect(changes({ puts: [[KEYS.activation(DB), now]] })).toMatchObject([{ kind: 'member.enrolled' }]);
    expect(changes({ puts: [[KEYS.activation(DB), { ...now, instanceId: 'i-1' }, 5]] }, before)).toEqual([]);
  });

  test('a recovery that ends: recovered, with what was lost, or abandoned; not of what is crossed off later', () => {
    const record = {
      ...{ member: DB, opId: 'op-1', outcome: 'replaced', reason: 'x', oldInstanceId: 'i-1', newInstanceId: 'i-2' },
      ...{ startedAtWallMs: 0, endedAtWallMs: 192_000 },
    };
    const key = KEYS.historyEntry(DB, 'op-1');
    expect(changes({ puts: [[key, record]] })).toMatchObject([
      { kind: 'recovery.ended', severity: 'info', what: 'prod/db1 is recovered after 3 min 12 s: i-1 → i-2' },
    ]);
    const lossy = { ...record, losses: [{ code: 'x', text: 'an address' }] };
    expect(changes({ puts: [[key, lossy]] })[0]).toMatchObject({ severity: 'warning' });
    const abandoned = { ...record, outcome: 'abandoned', newInstanceId: null, leftAs: ['i-1 is stopped'] };
    expect(changes({ puts: [[key, abandoned]] })).toMatchObject([
      { kind: 'recovery.ended', severity: 'critical', next: 'it may not serve: i-1 is stopped' },
    ]);
    expect(changes({ puts: [[key, record, 9]] })).toEqual([]);
  });

  test('a recovery in place: back in service, or not brought back, which is no end of the failure', () => {
    const record = {
      ...{ member: DB, opId: 'op-1', outcome: 'mended', reason: 'x', oldInstanceId: 'i-1', newInstanceId: null },
      ...{ startedAtWallMs: 0, endedAtWallMs: 90_000 },
    };
    const key = KEYS.historyEntry(DB, 'op-1');
    expect(changes({ puts: [[key, record]] })).toMatchObject([
      { kind: 'recovery.ended', severity: 'info', what: 'prod/db1 is back on i-1 after 1 min 30 s' },
    ]);
    const not = { ...record, outcome: 'not-mended' };
    expect(changes({ puts: [[key, not]] })).toMatchObject([
      {
        kind: 'recovery.ended',
        severity: 'warning',
        what: 'prod/db1 was not brought back this way, tried for 1 min 30 s',
      },
    ]);
  });

  test('a hold with its way out, not of other words for the same; and of its end', () => {
    const [begun] = changes({ puts: [[KEYS.hold(DB), held('ZoneFailure')]] });
    expect(begun).toMatchObject({ kind: 'hold.begun', what: 'prod/db1 is held: ZoneFailure', why: '3 of 4 failed' });
    expect(begun?.next).toContain('understudy explain prod/db1');
    const before = recordsWith({ holds: new Map([[DB, held('ZoneFailure')]]) });
    expect(changes({ puts: [[KEYS.hold(DB), held('ZoneFailure'), 5]] }, before)).toEqual([]);
    expect(changes({ puts: [[KEYS.hold(DB), held('Flapping'), 5]] }, before)).toMatchObject([{ kind: 'hold.begun' }]);
    expect(changes({ deletes: [KEYS.hold(DB)] }, before)).toMatchObject([{ kind: 'hold.ended' }]);
    expect(changes({ deletes: [KEYS.hold(DB)] })).toEqual([]);
  });

  test('a pause with who, why and how long, and of its end', () => {
    const pause = { scope: 'group/prod', who: 'ann', why: 'kernel', untilWallMs: NOW + 3_600_000 };
    expect(changes({ puts: [[KEYS.pause('group/prod'), pause]] })).toMatchObject([
      { kind: 'pause.begun', group: 'prod', member: null, what: 'ann paused group prod for 1 h 0 min', why: 'kernel' },
    ]);
    const all = { ...pause, scope: 'global', untilWallMs: null };
    expect(changes({ puts: [[KEYS.pause('global'), all]] })[0]?.what).toBe('ann paused everything until it is ended');
    const before = recordsWith({ pauses: new Map([['group/prod', pause]]) });
    expect(changes({ deletes: [KEYS.pause('group/prod')] }, before)).toMatchObject([{ kind: 'pause.ended' }]);
  });

  test('problems that are new, and those that are over, by code', () => {
    const problem = (code: string) => ({ code, text: `text of ${code}`, remedy: `remedy of ${code}` });
    const before = recordsWith({ findings: new Map([['current', { problems: [problem('A'), problem('B')] }]]) });
    const told = changes({ puts: [[KEYS.findings, { problems: [problem('B'), problem('C')] }, 5]] }, before);
    expect(told).toMatchObject([
      { kind: 'problem.begun', what: 'C', why: 'text of C', next: 'remedy of C' },
      { kind: 'problem.ended', what: 'A is over' },
    ]);
  });

  test('a policy that was written', () => {
    expect(changes({ puts: [[KEYS.group('prod'), { group: 'prod' }]] })).toMatchObject([{ kind: 'policy.changed' }]);
    expect(changes({ deletes: [KEYS.group('prod')] })[0]?.what).toContain('no policy of its own');
  });

  test('nothing else: journals, requests, levels, and notices themselves', () => {
    const keys = [
      KEYS.journalStep('op', 'fence'),
      KEYS.request(DB),
      KEYS.level,
      KEYS.notice('x'),
      KEYS.leader,
      'other',
    ];
    expect(keys.flatMap((key) => changes({ puts: [[key, {}]], deletes: [key] }))).toEqual([]);
  });
});

describe('many changes of the same kind', () => {
  const dead = (count: number, group = 'prod') =>
    Array.from({ length: count }, (_, at) => {
      const member: MemberId = `${group}/db${at}`;
      return [KEYS.judgement(member), { member, verdict: 'dead', reason: `because ${at}` }] as const;
    });

  test('up to three are told one by one', () => {
    expect(fold(changes({ puts: dead(3) })).map(({ members }) => members)).toEqual([
      ['prod/db0'],
      ['prod/db1'],
      ['prod/db2'],
    ]);
  });

  test('more are one, that names at most twenty and says how many, for each group its own', () => {
    const folded = fold(changes({ puts: [...dead(30), ...dead(4, 'mq')] }));
    expect(folded).toMatchObject([
      { kind: 'member.dead', severity: 'critical', group: 'prod', memberCount: 30, why: 'of the first: because 0' },
      { group: 'mq', memberCount: 4 },
    ]);
    expect(folded[0]?.members).toHaveLength(20);
    expect(folded[0]?.what).toMatch(/^member\.dead 30 times in prod: prod\/db0, .* and 10 more$/);
  });
});
