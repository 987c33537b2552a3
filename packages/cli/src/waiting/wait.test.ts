import { type MemberView, OperationError, type StatusView } from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it, test } from 'vitest';
import { memberOf } from '../member.fixtures.ts';
import { statusOf } from '../status.fixtures.ts';
import { conditionOf, type World } from './condition.ts';
import { type WaitEnd, waitFor } from './wait.ts';

interface Sketch {
  readonly status?: Partial<StatusView>;
  readonly member?: Partial<MemberView>;
  readonly open?: readonly string[];
  /** `opId outcome`. */
  readonly ended?: readonly string[];
  readonly held?: boolean;
}

function worldOf({ status = {}, member = {}, open = [], ended = [], held = false }: Sketch): World {
  const recoveries = {
    open: open.map((opId) => ({ opId, member: 'db/one', activity: 'launches' })),
    history: ended.map((text) => {
      const [opId, outcome] = text.split(' ');
      return { opId, outcome, member: 'db/one', newInstanceId: outcome === 'replaced' ? 'i-2' : null };
    }),
    requests: [],
  } as unknown as World['recoveries'];
  const holds = (held ? [{ member: 'db/one' }] : []) as unknown as World['holds'];
  return { status: statusOf(status), members: [memberOf({ member: 'db/one', ...member })], recoveries, holds };
}

/** A cluster that is as sketched, a second after the other, and stays as the last. */
function clusterOf(sketches: readonly (Sketch | Error)[]): CoordinatorClient {
  let next = 0;
  let world = worldOf({});
  return {
    status: async () => {
      const sketch = sketches[Math.min(next++, sketches.length - 1)] ?? {};
      if (sketch instanceof Error) throw sketch;
      world = worldOf(sketch);
      return world.status;
    },
    members: async () => world.members,
    recoveries: async () => world.recoveries,
    holds: async () => world.holds,
  } as unknown as CoordinatorClient;
}

async function waited(
  name: string,
  object: string | undefined,
  sketches: readonly (Sketch | Error)[],
  timeoutMs = 9_000,
) {
  const clock = new SimClock();
  const told: string[] = [];
  const client = clusterOf(sketches);
  const ending = waitFor({ client, clock }, conditionOf(name, object), timeoutMs, (text) => told.push(text));
  let end: WaitEnd | 'still waiting' | Error = 'still waiting';
  ending.then(
    (it) => (end = it),
    (error: Error) => (end = error),
  );
  await clock.advance(10_000);
  return { end: end as WaitEnd | Error, told };
}

const dead = { member: { verdict: 'dead' } } as const;
test.each<[string, string, string | undefined, readonly Sketch[], WaitEnd]>([
  ['alive at once', 'alive', 'db/one', [{}], 'met'],
  ['alive after a while', 'alive', 'db/one', [dead, dead, {}], 'met'],
  ['never dead in time', 'dead', 'db/one', [{}], 'time-over'],
  [
    'recovered: not mended by the first way, replaced by the next',
    'recovered',
    'db/one',
    [
      dead,
      { ...dead, open: ['o2'] },
      { ...dead, ended: ['o2 not-mended'] },
      { ended: ['o3 replaced', 'o2 not-mended'] },
    ],
    'met',
  ],
  [
    'recovered: mended in place',
    'recovered',
    'db/one',
    [dead, { ...dead, open: ['o2'] }, { ended: ['o2 mended'] }],
    'met',
  ],
  [
    'recovered: dead, open, replaced',
    'recovered',
    'db/one',
    [dead, { ...dead, open: ['o2'] }, { ended: ['o2 replaced'] }],
    'met',
  ],
  [
    'recovered: an older recovery does not count',
    'recovered',
    'db/one',
    [{ ...dead, ended: ['o1 replaced'] }],
    'time-over',
  ],
  [
    'recovered: abandoned is no',
    'recovered',
    'db/one',
    [
      { ...dead, open: ['o2'] },
      { ...dead, ended: ['o2 abandoned'] },
    ],
    'never',
  ],
  ['recovered: alive, and nothing was', 'recovered', 'db/one', [{}], 'met'],
  [
    'a recovery that ended, by its beginning',
    'recovery-ended',
    'o',
    [{ open: ['o2'] }, { ended: ['o2 abandoned'] }],
    'met',
  ],
  [
    'a recovery that ended, by its member',
    'recovery-ended',
    'db/one',
    [{ open: ['o2'] }, { ended: ['o2 replaced'] }],
    'met',
  ],
  ['a group that is well', 'healthy', 'db', [dead, {}], 'met'],
  ['a group with a recovery is not', 'healthy', 'db', [{ member: { recovery: 'o1' } }], 'time-over'],
  ['a leader that has judged', 'leader', undefined, [{ status: { leader: null } }, {}], 'met'],
  ['nothing held', 'nothing-held', undefined, [{ held: true }, {}], 'met'],
  ['nothing open', 'nothing-open', undefined, [{ open: ['o1'] }, {}], 'met'],
])('%s', async (_, name, object, sketches, end) => {
  expect((await waited(name, object, sketches)).end).toBe(end);
});

describe('waiting', () => {
  it('goes on while no coordinator answers, and says it once', async () => {
    const gone = new OperationError('COORDINATOR_UNAVAILABLE', 'nobody there');
    const { end, told } = await waited('leader', undefined, [gone, gone, gone, {}]);
    expect(end).toBe('met');
    expect(told).toHaveLength(2);
    expect(told[0]).toContain('nobody there');
  });

  it('ends at once for a member that is not known, and for what is no condition', async () => {
    expect((await waited('alive', 'db/zzz', [{}])).end).toMatchObject({ code: 'MEMBER_UNKNOWN' });
    for (const [name, object] of [
      ['leader', 'db'],
      ['alive', undefined],
      ['nonsense', 'x'],
    ] as const)
      expect(() => conditionOf(name, object)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('knows a beginning, and says what is so at each change only', async () => {
    const { told } = await waited('alive', 'db/o', [dead, dead, dead, {}]);
    expect(told).toEqual([expect.stringContaining('db/one is dead'), 'db/one is alive']);
  });
});
